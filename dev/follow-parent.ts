// Loaded into every child of the embedded mode (node --import): a starter that was killed outright
// cannot stop its children, so they see its end of the channel close and stop themselves.
const patienceMs = 15_000;

process.once('disconnect', () => {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), patienceMs).unref();
  process.kill(process.pid, 'SIGTERM');
});

// The channel alone must not keep a program alive that has ended its work.
process.channel?.unref();
