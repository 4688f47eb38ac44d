// Waiting for what comes sooner or later: soon on a quiet machine, later on a busy one.

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The first true answer of @fn; it is asked again every 50 ms.
export async function until(what, fn, ms = 30000) {
  for (const end = Date.now() + ms; ; await sleep(50)) {
    const value = await fn();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
  }
}
