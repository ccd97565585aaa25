/** How the program is asked to end: the first signal asks, a second one insists. Imports nothing, so that it listens before all else. */

/** A second signal this soon is the same one: a terminal and npm both send it. */
const sameSignalMs = 1_000;

/** SIGHUP is a terminal that was closed, the likeliest end of a first try. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Aborted by the first signal, which is its reason. Heard from now on, not from "ready" on: as the first process of a container the
 * program would never see a signal that nobody listens for. A second signal ends at once, with 1: whatever runs is found on the wheel
 * by the next start.
 */
export function listenForSignals(): AbortSignal {
  const asked = new AbortController();
  let askedAt: number | undefined;
  const ask = (signal: NodeJS.Signals) => {
    if (askedAt !== undefined && performance.now() - askedAt < sameSignalMs) return;
    if (askedAt !== undefined) process.exit(1);
    askedAt = performance.now();
    asked.abort(signal);
  };
  for (const signal of signals) process.on(signal, ask);
  return asked.signal;
}
