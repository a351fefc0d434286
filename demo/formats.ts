/** Numbers, times and browsers as people read them. */
import type { Language, Texts } from "./texts.ts";

const UNITS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

export function number(value: number, language: Language): string {
  return new Intl.NumberFormat(language).format(value);
}

export function yen(value: number, language: Language): string {
  return new Intl.NumberFormat(language, { style: "currency", currency: "JPY" }).format(value);
}

/** In two units at most: "11 hours 59 minutes", "30 days", "12 seconds". */
export function duration(seconds: number, language: Language): string {
  const largest = UNITS.findIndex(([, size]) => seconds >= size || size === 1);
  const parts: string[] = [];
  let rest = seconds;
  for (const [unit, size] of UNITS.slice(largest, largest + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count === 0 && parts.length > 0) continue;
    parts.push(new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(count));
  }
  return parts.join(" ");
}

/** "2 min. ago", "now". */
export function ago(seconds: number, language: Language): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["second", 1];
  return format.format(-Math.floor(seconds / size), unit);
}

/** In UTC, as the server cannot know where the browser is. */
export function instant(at: number, language: Language): string {
  const options = { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" } as const;
  return `${new Intl.DateTimeFormat(language, options).format(at)} UTC`;
}

/** The first that fits: Edge and Opera also call themselves Chrome, and Chrome calls itself Safari. */
const BROWSERS = [
  [/Edg/, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox|FxiOS/, "Firefox"],
  [/Chrome|CriOS/, "Chrome"],
  [/Safari/, "Safari"],
] as const;
const SYSTEMS = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS/, "macOS"],
  [/Linux/, "Linux"],
] as const;

/** "Firefox on Linux", from a User-Agent header. */
export function browserName(userAgent: string, t: Texts): string {
  const browser = BROWSERS.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  return browser === undefined || system === undefined ? t.unknownDevice : t.on(browser, system);
}
