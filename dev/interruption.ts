/**
 * Resolves when somebody wants us to end: Ctrl-C, a polite kill, a closed terminal, or npm gone from
 * above us. One Ctrl-C may arrive twice, from the terminal and from npm, so only a signal that comes
 * later is taken as impatience.
 */
export function interruption(onImpatience: () => void): Promise<void> {
  return new Promise((resolve) => {
    let first: number | null = null;
    const ask = () => {
      const now = Date.now();
      first ??= now;
      if (now - first > 1_000) onImpatience();
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask);

    if (process.env['npm_lifecycle_event'] === undefined) return;
    const npm = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid === npm) return;
      clearInterval(watch);
      resolve();
    }, 1_000);
    watch.unref();
  });
}
