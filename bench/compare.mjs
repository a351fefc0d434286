import { isOurs, isServerSide } from "./subjects.mjs";

/**
 * Says in each row of ours how many times less it adds than the best of the others that keep the data on the same kind
 * of store, over HTTP, in the same rounds. `times` below 1: they were faster.
 *
 * A factor `holds` when the quartiles of what both add do not overlap. What is added may be nothing that could be
 * measured; then the factor counts from the upper quartile and is a least one.
 */
export function compare(rows) {
  for (const row of rows) {
    if (!isOurs(row.peer)) continue;
    const others = rows.filter(({ peer, store }) => !isOurs(peer) && isServerSide(store) && store === row.store);
    if (others.length === 0) continue;
    const best = others.reduce((one, other) => (other.addedMicros < one.addedMicros ? other : one));
    const least = row.addedMicros <= 0.5;
    const ours = least ? Math.max(0.5, row.addedQuartiles[1]) : row.addedMicros;
    row.against = {
      peer: best.peer,
      addedMicros: best.addedMicros,
      times: Number((best.addedMicros / ours).toFixed(1)),
      least,
      holds: row.addedQuartiles[1] < best.addedQuartiles[0] || best.addedQuartiles[1] < row.addedQuartiles[0],
    };
  }
}
