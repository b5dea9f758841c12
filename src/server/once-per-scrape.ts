/** What the metrics of one scrape share: they are collected in the same turn of the event loop. */
export function oncePerScrape<T>(measure: () => T | Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined;
  return () => {
    current ??= (async () => {
      setImmediate(() => {
        current = undefined;
      });
      return measure();
    })();
    return current;
  };
}
