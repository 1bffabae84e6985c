import type { Sql } from 'postgres';
import type { DeviceFilter } from '../../domain/device.ts';
import { describes, facetConditions, searchOf, type Search } from './device-filter.ts';
import type { DeviceColumns } from './device-rows.ts';

/** Devices that a look along the primary key may pass before we ask the index of the filters. */
const passedAtMost = 2000;

/** The first `count` devices after a serial that the filter lets through, in order of serial. */
export async function listAfter(
  sql: Sql,
  filter: DeviceFilter,
  after: string,
  count: number,
): Promise<DeviceColumns[]> {
  const search = searchOf(filter);
  if (search !== null) return listFound(sql, filter, search, after, count);
  const near = await listNear(sql, filter, after, count);
  if (near.length === count || isUnfiltered(filter)) return near;
  return listByFacets(sql, filter, after, count);
}

/** For a filter that lets many through: a page of them is close by, or we have not looked far. */
function listNear(
  sql: Sql,
  filter: DeviceFilter,
  after: string,
  count: number,
): Promise<DeviceColumns[]> {
  return sql<DeviceColumns[]>`
    select d.* from (
      select * from devices where serial > ${after} order by serial limit ${passedAtMost + count}
    ) d
    where ${facetConditions(sql, filter, 'd')} order by d.serial limit ${count}`;
}

/**
 * For a filter that lets few through, or none: a few hundred combinations of the filtered columns
 * exist whatever the size of the fleet, and within each the index is in order of serial. The
 * combinations are found by jumping from one to the next in the index.
 */
function listByFacets(
  sql: Sql,
  filter: DeviceFilter,
  after: string,
  count: number,
  search?: Search,
): Promise<DeviceColumns[]> {
  const facets = sql`d.integration_id, d.presence, d.assignment_state, d.enrollment_state, d.os, d.family`;
  const ofIntegration =
    filter.integrationId === undefined
      ? sql``
      : sql`and d.integration_id = ${filter.integrationId}`;
  return sql<DeviceColumns[]>`
    with recursive facets as (
      (select ${facets} from devices d where true ${ofIntegration} order by ${facets} limit 1)
      union all
      select n.* from facets f cross join lateral (
        select ${facets} from devices d
        where (${facets}) > (f.integration_id, f.presence, f.assignment_state, f.enrollment_state, f.os, f.family)
          ${ofIntegration}
        order by ${facets} limit 1) n
    ),
    chosen as materialized (
      select s.serial from facets f cross join lateral (
        select d.serial from devices d
        where d.integration_id = f.integration_id and d.presence = f.presence
          and d.assignment_state = f.assignment_state and d.enrollment_state = f.enrollment_state
          and d.os = f.os and d.family = f.family and d.serial > ${after}
          ${
            search === undefined
              ? sql``
              : sql`and d.serial >= ${search.serialStart} and d.serial < ${search.serialEnd}`
          }
        order by d.serial limit ${count}) s
      where ${facetConditions(sql, filter, 'f')}
      order by s.serial limit ${count}
    )
    select d.* from chosen c join devices d on d.serial = c.serial order by d.serial`;
}

/** By serial, asset tag and description, each by its own index; a device may be found by several. */
async function listFound(
  sql: Sql,
  filter: DeviceFilter,
  search: Search,
  after: string,
  count: number,
): Promise<DeviceColumns[]> {
  const conditions = facetConditions(sql, filter, 'd');
  const [bySerial, byAssetTag, byDescription] = await Promise.all([
    isUnfiltered(filter)
      ? sql<DeviceColumns[]>`
          select d.* from devices d
          where d.serial > ${after} and d.serial >= ${search.serialStart} and d.serial < ${search.serialEnd}
          order by d.serial limit ${count}`
      : listByFacets(sql, filter, after, count, search),
    sql<DeviceColumns[]>`
      select d.* from devices d
      where lower(d.asset_tag) = ${search.assetTag} and d.serial > ${after} and ${conditions}
      order by d.serial limit ${count}`,
    listDescribed(sql, filter, search, after, count),
  ]);
  const found = new Map(
    [...bySerial, ...byAssetTag, ...byDescription].map((row) => [row.serial, row]),
  );
  return [...found.values()].sort((a, b) => compareBytes(a.serial, b.serial)).slice(0, count);
}

/** A fleet has a few hundred descriptions: they are found by jumping, then searched for the words. */
function listDescribed(
  sql: Sql,
  filter: DeviceFilter,
  search: Search,
  after: string,
  count: number,
): Promise<DeviceColumns[]> {
  return sql<DeviceColumns[]>`
    with recursive descriptions as (
      (select description from devices where description is not null order by description limit 1)
      union all
      select n.description from descriptions f cross join lateral (
        select d.description from devices d where d.description > f.description
        order by d.description limit 1) n
    ),
    chosen as materialized (
      select s.serial from descriptions t cross join lateral (
        select d.serial from devices d
        where d.description = t.description and d.serial > ${after} and ${facetConditions(sql, filter, 'd')}
        order by d.serial limit ${count}) s
      where exists (select 1 from (select t.description) d where ${describes(sql, search)})
      order by s.serial limit ${count}
    )
    select d.* from chosen c join devices d on d.serial = c.serial order by d.serial`;
}

function isUnfiltered(filter: DeviceFilter): boolean {
  const { integrationId, os, family, presence, assignment, enrollment } = filter;
  const { profileId, groupId } = filter;
  const facets = [integrationId, os, family, presence, assignment, enrollment, profileId, groupId];
  return facets.every((value) => value === undefined);
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}
