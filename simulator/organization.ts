import { createHash } from 'node:crypto';
import type { Family } from './fleet/catalog.ts';
import { Fleet, type Witness } from './fleet/fleet.ts';
import { mix } from './random.ts';

const names = ['Sunrise Schools', 'Harbor Logistics', 'Acme Works', 'Northwind Clinics'] as const;

/** A customer of Apple: its devices, its terms, the servers that new devices go to. */
export class Organization {
  readonly number: number;
  readonly id: string;
  readonly idHash: string;
  readonly name: string;
  readonly email: string;
  readonly admin: string;
  readonly fleet: Fleet;
  termsAccepted = true;
  /** Server uuid by product family; a family that is not in it stays unassigned. */
  readonly defaults = new Map<Family, string>();

  constructor(seed: number, number: number, devices: number, witness: Witness) {
    this.number = number;
    this.id = String(1_000_000 + (mix(seed, number, 30) % 9_000_000));
    this.idHash = createHash('sha256').update(this.id).digest('hex');
    const name = names[number % names.length] ?? names[0];
    this.name = number < names.length ? name : `${name} ${number}`;
    const domain = `${this.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.example`;
    this.email = `it@${domain}`;
    this.admin = `admin@${domain}`;
    this.fleet = new Fleet(seed, number, devices, witness);
  }
}
