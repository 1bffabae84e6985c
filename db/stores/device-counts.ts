import type { Sql } from 'postgres';
import type { AssignmentState, EnrollmentState, Presence } from '../../domain/device.ts';
import type { DeviceCounts } from '../../domain/integration.ts';

interface StateCount {
  presence: Presence;
  assignment_state: AssignmentState;
  enrollment_state: EnrollmentState;
  devices: number;
}

/** From the list's index alone. */
export async function countDevices(sql: Sql, integrationId: string): Promise<DeviceCounts> {
  const rows = await sql<StateCount[]>`
    select presence, assignment_state, enrollment_state, count(*)::int as devices from devices
    where integration_id = ${integrationId}
    group by presence, assignment_state, enrollment_state`;
  const present = rows.filter((row) => row.presence === 'present');
  const sum = (counted: StateCount[]) => counted.reduce((total, row) => total + row.devices, 0);
  const inState = (...states: AssignmentState[]) =>
    sum(present.filter((row) => states.includes(row.assignment_state)));
  return {
    devices: sum(present),
    assigned: inState('assigned', 'pushed'),
    unassigned: inState('unassigned'),
    pending: inState('pending'),
    failed: inState('failed', 'throttled'),
    enrolled: sum(present.filter((row) => row.enrollment_state === 'enrolled')),
    removed: sum(rows.filter((row) => row.presence === 'removed')),
  };
}
