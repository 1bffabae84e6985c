import { mkdirSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { World } from './world.ts';
import { restoreWorld, saveWorld, type SavedWorld } from './saved-world.ts';

const QUIET_MS = 500;
/** Of a busy, large world no more than a tenth of the time goes into saving it. */
const PAUSE_PER_SAVE = 9;

/** The reason and the way out are for the person who started the simulator. */
export class StateFileError extends Error {}

/**
 * Keeps a world in a file between starts: written half a second after a change and at the end, to a
 * new file that then takes the old one's place, so that a crash leaves one or the other.
 */
export class StateFile {
  readonly #world: World;
  readonly #path: string;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #unsaved = false;
  #pauseMs = QUIET_MS;
  #failure: unknown = null;

  constructor(world: World, path: string) {
    this.#world = world;
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
  }

  /** Throws `StateFileError` for a file that is damaged or of another world. */
  load(): void {
    const text = this.#read();
    if (text !== null) this.#restore(text);
    this.#world.onChange = () => {
      this.#unsaved = true;
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#save();
      }, this.#pauseMs).unref();
    };
  }

  #read(): string | null {
    try {
      return readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  #restore(text: string): void {
    let saved: SavedWorld;
    try {
      saved = JSON.parse(text) as SavedWorld;
    } catch {
      throw new StateFileError(`${this.#path} is damaged; delete it to start with a new world.`);
    }
    const { seed, devices, organizations } = this.#world.options;
    const isSame =
      saved.version === 1 &&
      saved.seed === seed &&
      saved.devices === devices &&
      saved.organizations.length === organizations;
    if (!isSame) {
      throw new StateFileError(
        `${this.#path} holds another world (seed ${saved.seed}, ${saved.devices} devices); start with its options, or delete it.`,
      );
    }
    restoreWorld(this.#world, saved);
  }

  #save(): void {
    this.#unsaved = false;
    const before = performance.now();
    const text = JSON.stringify(saveWorld(this.#world));
    this.#pauseMs = Math.max(QUIET_MS, PAUSE_PER_SAVE * (performance.now() - before));
    const next = `${this.#path}.next`;
    this.#writing = this.#writing.then(async () => {
      try {
        await writeFile(next, text, { mode: 0o600 });
        await rename(next, this.#path);
        this.#failure = null;
      } catch (error) {
        // The world goes on; the next save may go better, and the last one is told.
        this.#failure = error;
      }
    });
  }

  /** Saves what is not saved. Throws what kept the last save from its file. */
  async close(): Promise<void> {
    this.#world.onChange = () => undefined;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#unsaved) this.#save();
    await this.#writing;
    if (this.#failure !== null) throw this.#failure as Error;
  }
}
