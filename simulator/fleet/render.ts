import type { WireDevice } from '../../apple/ade/wire.ts';
import { isoSeconds } from '../clock.ts';
import type { Change } from './change-log.ts';
import { eidOf, imeiOf, macOf } from './facts.ts';
import type { Fleet } from './fleet.ts';
import { renderState, type DeviceState } from './state.ts';

/**
 * Devices as Apple spells them, written by hand into a string: a page of a thousand devices has to take
 * a millisecond or two, and the version of the protocol decides which fields there are.
 */

const literal = new Map<string, string>();

function json(text: string): string {
  let written = literal.get(text);
  if (written === undefined) {
    written = JSON.stringify(text);
    if (literal.size < 5000) literal.set(text, written);
  }
  return written;
}

/** What never changes, without the closing brace, so that callers can add members. */
function renderFacts(fleet: Fleet, device: number, version: number): string {
  const product = fleet.product(device);
  let text = `{"serial_number":"${fleet.serial(device)}","model":${json(product.model)},"description":${json(product.description)}`;
  if (product.color !== '') text += `,"color":${json(product.color)}`;
  if (version >= 2) {
    const os = version < 7 && product.os === 'iPadOS' ? 'iOS' : product.os;
    text += `,"os":"${os}","device_family":"${product.family}"`;
  }
  if (version < 10) return text;
  text += `,"bluetooth_mac_address":"${macOf(device, 0)}","wifi_mac_address":"${macOf(device, 1)}"`;
  if (product.ethernet) text += `,"ethernet_mac_address":"${macOf(device, 2)}"`;
  if (product.cellular) {
    text += `,"imei":["${imeiOf(device, 0)}","${imeiOf(device, 1)}"],"eid":"${eidOf(fleet.seed, device)}"`;
  }
  return text;
}

const factsOfFleet = new WeakMap<Fleet, string[]>();

function facts(fleet: Fleet, device: number, version: number): string {
  if (version < 10) return renderFacts(fleet, device, version);
  let known = factsOfFleet.get(fleet);
  if (known === undefined) {
    known = [];
    factsOfFleet.set(fleet, known);
  }
  let text = known[device];
  if (text === undefined) {
    // Through a buffer, because a concatenated string keeps all its pieces alive.
    text = Buffer.from(renderFacts(fleet, device, version)).toString('latin1');
    known[device] = text;
  }
  return text;
}

function open(fleet: Fleet, device: number, state: DeviceState, version: number): string {
  const tag = state.assetTag ?? fleet.orderedAssetTag(device);
  const written = tag === '' ? '""' : JSON.stringify(tag);
  return `${facts(fleet, device, version)},"asset_tag":${written}${renderState(state, version)}`;
}

/** An entry of a full fetch: no operation. */
export function renderDevice(fleet: Fleet, device: number, version: number): string {
  return `${open(fleet, device, fleet.state(device), version)}}`;
}

/** An entry of a delta, as things were when it happened. */
export function renderChange(fleet: Fleet, change: Change, version: number): string {
  const operation = `,"op_type":"${change.operation}","op_date":"${isoSeconds(change.at)}"`;
  if (change.operation !== 'deleted') {
    return `${open(fleet, change.device, change.state, version)}${operation}}`;
  }
  const replaced = change.state.releasedByReplacement && version >= 10;
  const reason = replaced ? ',"released_by_replacement":true' : '';
  return `{"serial_number":"${fleet.serial(change.device)}"${operation}${reason}}`;
}

/** The same as an object, where a few devices are looked at. */
export function describeDevice(fleet: Fleet, device: number, version: number): WireDevice {
  return JSON.parse(renderDevice(fleet, device, version)) as WireDevice;
}
