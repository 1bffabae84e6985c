import type { Fragment, Sql } from 'postgres';
import type { DeviceFilter } from '../../domain/device.ts';
import type { Queries } from './sync-position.ts';

/** The filters that are columns of the index `devices_facets`, as conditions on an alias. */
export function facetConditions(sql: Queries, filter: DeviceFilter, alias: string): Fragment {
  const column = (name: string) => sql(`${alias}.${name}`);
  const equals = (name: string, value: string | undefined) =>
    value === undefined ? sql`` : sql`and ${column(name)} = ${value}`;
  return sql`true
    ${equals('integration_id', filter.integrationId)}
    ${equals('presence', filter.presence)}
    ${
      // Who asks for an assignment asks about devices that we have; the counts say so too.
      filter.assignment !== undefined && filter.presence === undefined
        ? sql`and ${column('presence')} <> 'removed'`
        : sql``
    }
    ${equals('assignment_state', filter.assignment)}
    ${equals('enrollment_state', filter.enrollment)}
    ${equals('os', filter.os)}
    ${equals('family', filter.family)}
    ${
      // No device has a profile or a group of ours until those are stored: none can meet this.
      filter.profileId !== undefined || filter.groupId !== undefined ? sql`and false` : sql``
    }`;
}

/** What `q` asks for, taken apart. */
export interface Search {
  /** Serials from here up to, not including, `serialEnd`. */
  serialStart: string;
  serialEnd: string;
  assetTag: string;
  words: string[];
}

export function searchOf(filter: DeviceFilter): Search | null {
  const q = filter.q?.replaceAll('\0', '').trim() ?? '';
  if (q === '') return null;
  const start = q.toUpperCase();
  return {
    serialStart: start,
    serialEnd: `${start}\u{10FFFF}`,
    assetTag: q.toLowerCase(),
    words: q.toLowerCase().split(/\s+/),
  };
}

/** Every word is somewhere in the description. */
export function describes(sql: Sql | Queries, { words }: Search): Fragment {
  return words.reduce(
    (all, word) => sql`${all} and strpos(lower(d.description), ${word}) > 0`,
    sql`d.description is not null`,
  );
}
