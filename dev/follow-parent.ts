import { pathToFileURL } from 'node:url';

// Runs a program of ours as a child of the embedded mode: follow-parent.ts <program> <its arguments>.
// A starter that was killed outright cannot stop its children, so they see its end of the channel close
// and stop themselves. (Not loaded with --import: worker threads would load it, too.)

const patienceMs = 15_000;

process.once('disconnect', () => {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), patienceMs).unref();
  process.kill(process.pid, 'SIGTERM');
});
// The channel alone must not keep a program alive that has ended its work.
process.channel?.unref();

process.argv.splice(1, 1);
await import(pathToFileURL(process.argv[1] ?? '').href);
