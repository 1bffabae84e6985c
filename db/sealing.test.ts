import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSealer, type SecretPlace } from './sealing.ts';

const newKey = () => randomBytes(32).toString('base64');
const place: SecretPlace = { table: 'server_tokens', rowId: 'a' };

describe('sealing', () => {
  it('opens what it sealed and shows nothing of it', () => {
    const sealer = createSealer(newKey());
    const box = sealer.seal(place, 'a consumer secret, ü');
    expect(sealer.open(place, box)).toBe('a consumer secret, ü');
    expect(Buffer.from(box.sealed).toString('latin1')).not.toContain('consumer');
  });

  it('never seals twice alike', () => {
    const sealer = createSealer(newKey());
    expect(sealer.seal(place, 'same').sealed).not.toEqual(sealer.seal(place, 'same').sealed);
  });

  it('opens what an older key sealed, and names the key when it is gone', () => {
    const [old, current] = [newKey(), newKey()];
    const box = createSealer(old).seal(place, 'secret');
    expect(createSealer(current, [old]).open(place, box)).toBe('secret');
    expect(() => createSealer(current).open(place, box)).toThrow(box.keyId);
  });

  it.each([
    ['another row', { ...place, rowId: 'b' }],
    ['another table', { ...place, table: 'ade_sessions' as const }],
  ])('does not open in %s', (_title, elsewhere) => {
    const sealer = createSealer(newKey());
    const box = sealer.seal(place, 'secret');
    expect(() => sealer.open(elsewhere, box)).toThrow(/another place/);
  });

  it('does not open when any byte was changed', () => {
    const sealer = createSealer(newKey());
    const box = sealer.seal(place, 'secret');
    for (let at = 0; at < box.sealed.length; at += 1) {
      const sealed = Uint8Array.from(box.sealed);
      sealed[at]! ^= 1;
      expect(() => sealer.open(place, { ...box, sealed })).toThrow();
    }
  });

  it('refuses a key of another length', () => {
    expect(() => createSealer(randomBytes(16).toString('base64'))).toThrow(TypeError);
  });
});
