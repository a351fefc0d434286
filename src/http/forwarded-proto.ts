/** Whether `X-Forwarded-Proto` says that the client spoke TLS: of a chain of proxies the first is the one it spoke to. */
export function saysHttps(forwardedProto: string | undefined): boolean {
  return forwardedProto !== undefined && /^https\s*(?:,|$)/i.test(forwardedProto);
}
