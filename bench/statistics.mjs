/** The value below which a share `part` of the values lies. */
export function quantile(values, part) {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (sorted.length - 1) * part;
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

export function median(values) {
  return quantile(values, 0.5);
}

export function quartiles(values) {
  return [quantile(values, 0.25), quantile(values, 0.75)];
}
