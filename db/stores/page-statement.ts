import { deviceFacts } from './device-facts.ts';

/*
 * The statement that writes a page of devices. Parameters: $1 integration, $2 now, $3 the run as JSON,
 * $4 walk id or null, $5 serials, $6 has facts, $7 date of the facts, $8 gone, $9 its date, $10 and
 * $11 newest dated operation, $12… the facts; from $5 on one text[] with an element a device.
 *
 * Only rows that change are written. A row that somebody else changed between our look and our write
 * is left alone (`xmin`) and shows in the counts: `intended` and `written` then differ, and the caller
 * starts over. That race needs two integrations that list the same device.
 */

const firstFact = 12;
const sqlTypes = { text: 'text', time: 'timestamptz(3)', json: 'jsonb' } as const;

const names = deviceFacts.map((fact) => fact.column);
const prefixed = (prefix: string) => names.map((name) => `${prefix}.${name}`).join(', ');

const incomingColumns = deviceFacts
  .map((fact) =>
    fact.type === 'text' ? `u.${fact.column}` : `u.${fact.column}::${sqlTypes[fact.type]}`,
  )
  .join(', ');

const storedColumns = names.map((name) => `d.${name} as d_${name}`).join(', ');

const storedRow = names.map((name) => `w.d_${name}`).join(', ');

const shownInTimeline = {
  text: (value: string) => `to_jsonb(nullif(${value}, ''))`,
  time: (value: string) =>
    `to_jsonb(to_char(${value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`,
  json: (value: string) => value,
};

const changedFacts = deviceFacts
  .map(({ column, name, type }) => {
    const shown = shownInTimeline[type];
    return `('${name}', ${shown(`c.d_${column}`)}, ${shown(`c.${column}`)})`;
  })
  .join(', ');

/** Apple's word is the assignment's state until we assign profiles ourselves. */
const assignmentState = (alias: string) =>
  `case when ${alias}.profile_status in ('assigned', 'pushed') then ${alias}.profile_status else 'unassigned' end`;

export const pageStatement = `
with incoming as materialized (
  select u.serial, u.has_facts = 't' as has_facts, u.facts_at::timestamptz(3) as facts_at,
    u.gone = 't' as gone, u.gone_at::timestamptz(3) as gone_at,
    u.op_type, u.op_at::timestamptz(3) as op_at, ${incomingColumns}
  from unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
    ${names.map((_name, at) => `$${firstFact + at}::text[]`).join(', ')})
    as u(serial, has_facts, facts_at, gone, gone_at, op_type, op_at, ${names.join(', ')})
),
weighed as (
  select i.*, d.serial is not null as known, d.xmin as d_xmin, d.integration_id as d_integration_id,
    d.presence as d_presence, d.op_at as d_op_at, d.op_type as d_op_type, ${storedColumns},
    d.integration_id = $1 as own,
    i.has_facts and (i.facts_at is null or d.op_at is null or i.facts_at > d.op_at
      or (i.facts_at = d.op_at and d.op_type is distinct from 'deleted')) as facts_are_new,
    i.gone_at is null or d.op_at is null or i.gone_at > d.op_at
      or (i.gone_at = d.op_at and (i.gone or d.op_type is distinct from 'deleted')) as presence_is_new,
    d.integration_id <> $1 and i.has_facts and not i.gone and (d.presence <> 'present'
      or coalesce(i.assigned_at, '-infinity') >= coalesce(d.assigned_at, '-infinity')) as moves
  from incoming i left join devices d on d.serial = i.serial
),
judged as materialized (
  select w.*,
    (w.moves or (w.own and w.facts_are_new)) and (${prefixed('w')}) is distinct from (${storedRow})
      as facts_differ,
    case
      when w.moves then 'present'
      when w.own and w.presence_is_new then case when w.gone then 'removed' else 'present' end
      when w.own and w.facts_are_new then 'present'
      else w.d_presence
    end as presence,
    w.moves or (w.own and w.op_at is not null and (w.d_op_at is null or w.op_at > w.d_op_at
      or (w.op_at = w.d_op_at and w.op_type = 'deleted' and w.d_op_type <> 'deleted')))
      as op_is_newer
  from weighed w
),
changed as materialized (
  select j.*, case
      when j.moves then 'moved'
      when j.presence = 'present' and j.d_presence <> 'present' then 'returned'
      when j.presence = 'removed' and j.d_presence <> 'removed' then 'removed'
      when j.facts_differ then 'modified'
    end as kind
  from judged j
  where j.known and (j.moves or j.facts_differ or j.presence <> j.d_presence or j.op_is_newer)
),
inserted as (
  insert into devices (serial, integration_id, presence, assignment_state, removed_at, op_type, op_at,
    first_seen_at, first_run_id, updated_at, ${names.join(', ')})
  select i.serial, $1, case when i.gone then 'removed' else 'present' end, ${assignmentState('i')},
    case when i.gone then coalesce(i.gone_at, $2) end, i.op_type, i.op_at,
    $2, ($3::text::jsonb ->> 'id')::uuid, $2, ${prefixed('i')}
  from judged i where not i.known and i.has_facts
  returning serial
),
updated as (
  update devices d set
    integration_id = case when c.moves then $1 else d.integration_id end,
    presence = c.presence,
    removed_at = case
      when c.presence = 'present' then null
      when c.kind = 'removed' then coalesce(c.gone_at, $2)
      else d.removed_at
    end,
    op_type = case when c.op_is_newer then c.op_type else d.op_type end,
    op_at = case when c.op_is_newer then c.op_at else d.op_at end,
    assignment_state = case when c.facts_differ then ${assignmentState('c')} else d.assignment_state end,
    updated_at = case when c.kind is null then d.updated_at else $2 end,
    ${names.map((name) => `${name} = case when c.facts_differ then c.${name} else d.${name} end`).join(', ')}
  from changed c
  where d.serial = c.serial and d.xmin = c.d_xmin
  returning d.serial
),
told as (
  insert into device_events (serial, at, kind, run_id, changes)
  select c.serial, $2, c.kind, ($3::text::jsonb ->> 'id')::uuid,
    case when c.moves then jsonb_build_object('integrationId',
      jsonb_build_object('from', c.d_integration_id, 'to', $1)) else '{}' end
    || case when c.presence <> c.d_presence then jsonb_build_object('presence',
      jsonb_build_object('from', c.d_presence, 'to', c.presence)) else '{}' end
    || case when c.facts_differ then coalesce((
      select jsonb_object_agg(f.name, jsonb_build_object('from', f.old, 'to', f.new))
      from (values ${changedFacts}) f(name, old, new) where f.old is distinct from f.new), '{}') else '{}' end
  from changed c where c.kind is not null
),
tally as (
  select
    (select count(*) from judged where not known and has_facts)
      + (select count(*) from changed) as intended,
    (select count(*) from inserted) + (select count(*) from updated) as written,
    (select count(*) from judged where not known and has_facts)
      + (select count(*) from changed where kind in ('returned', 'moved')) as added,
    (select count(*) from changed where kind = 'modified') as modified,
    (select count(*) from judged where not known and has_facts and gone)
      + (select count(*) from changed where kind = 'removed') as removed,
    (select count(*) from judged where not (not known and has_facts))
      - (select count(*) from changed where kind is not null) as unchanged
),
seen as (
  insert into walk_pages (walk_id, page_no, integration_id, serials, added, added_sample, changed, changed_sample)
  select $4::uuid, coalesce((select max(page_no) from walk_pages where walk_id = $4::uuid), 0) + 1, $1, $5::text[],
    t.added,
    array(select serial from (select serial from judged where not known and has_facts
      union all select serial from changed where kind in ('returned', 'moved')) s limit 100),
    t.modified,
    array(select serial from changed where kind = 'modified' limit 100)
  from tally t where $4::uuid is not null
),
run as (
  insert into sync_runs as r (id, integration_id, trigger, mode, state, queued_at, started_at,
    pages, added, modified, removed, unchanged)
  select n.id, n.integration_id, n.trigger, n.mode, 'running', n.queued_at, n.started_at,
    n.pages + 1, n.added + t.added, n.modified + t.modified, n.removed + t.removed, n.unchanged + t.unchanged
  from tally t, jsonb_populate_record(null::sync_runs, $3::text::jsonb) n
  on conflict (id) do update set
    state = 'running', waiting_for = null, next_attempt_at = null,
    pages = r.pages + 1,
    added = r.added + (select added from tally),
    modified = r.modified + (select modified from tally),
    removed = r.removed + (select removed from tally),
    unchanged = r.unchanged + (select unchanged from tally)
  where r.state in ('running', 'waiting')
  returning r.*
)
select t.intended::int, t.written::int, t.added::int as page_added, t.modified::int as page_modified,
  t.removed::int as page_removed, t.unchanged::int as page_unchanged, run.*
from tally t left join run on true`;
