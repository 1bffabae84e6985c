import postgres from 'postgres';
import type { Stack } from '../test/stack/stack.ts';
import { median, ratio, report } from './report.ts';

const rounds = 40;

/** `GET /devices` over HTTP beside the bare statement through the same driver, in turn. */
export async function listBench(stack: Stack, integrationId: string): Promise<void> {
  const sql = postgres(stack.databaseUrl, { max: 1 });
  await sql`vacuum (analyze) devices`;
  const [sample] = await sql<{ serial: string; asset_tag: string; description: string }[]>`
    select serial, asset_tag, description from devices
    where asset_tag is not null and description is not null order by serial offset 20000 limit 1`;
  if (sample === undefined) throw new Error('no device with an asset tag');
  const word = sample.description.split(' ')[0] ?? '';
  const bare = (where: postgres.PendingQuery<postgres.Row[]>) =>
    sql`select * from devices where ${where} order by serial limit 101`;

  const filters: Record<string, () => Promise<unknown>> = {
    '': () => bare(sql`true`),
    [`integrationId=${integrationId}`]: () => bare(sql`integration_id = ${integrationId}`),
    'os=macos': () => bare(sql`os = 'macos'`),
    'os=watchos': () => bare(sql`os = 'watchos'`),
    'family=AppleTV': () => bare(sql`family = 'AppleTV'`),
    'presence=present': () => bare(sql`presence = 'present'`),
    'presence=removed': () => bare(sql`presence = 'removed'`),
    'assignment=unassigned': () => bare(sql`assignment_state = 'unassigned'`),
    'assignment=pushed': () => bare(sql`assignment_state = 'pushed'`),
    'enrollment=enrolled': () => bare(sql`enrollment_state = 'enrolled'`),
    [`q=${sample.serial}`]: () => bare(sql`serial = ${sample.serial}`),
    [`q=${sample.serial.slice(0, 4)}`]: () =>
      bare(sql`serial like ${`${sample.serial.slice(0, 4)}%`}`),
    [`q=${sample.asset_tag}`]: () =>
      bare(sql`lower(asset_tag) = ${sample.asset_tag.toLowerCase()}`),
    [`q=${word}`]: () => bare(sql`description ilike ${`%${word}%`}`),
    'q=nothing-of-the-kind': () => bare(sql`description ilike '%nothing-of-the-kind%'`),
    [`os=ios&assignment=unassigned&integrationId=${integrationId}`]: () =>
      bare(
        sql`os = 'ios' and assignment_state = 'unassigned' and integration_id = ${integrationId}`,
      ),
  };

  const figures: Record<string, string> = {};
  for (const [query, statement] of Object.entries(filters)) {
    const ours: number[] = [];
    const floor: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await timed(() => stack.api.get(`/api/v1/devices?${query}`)));
      floor.push(await timed(statement));
    }
    const [mine, theirs] = [median(ours), median(floor)];
    const shown = query.replace(integrationId, '…');
    figures[shown === '' ? '(none)' : shown] =
      `${mine.toFixed(1)} ms beside ${theirs.toFixed(1)} ms: ${ratio(mine / theirs, 3)}`;
  }
  report('GET /devices at 500,000 rows, 100 a page, medians', figures);
  await sql.end();
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}
