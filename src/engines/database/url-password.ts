/**
 * The ways in which a `connection_url` can have a password written out. In each the first group is the password.
 * @see reference: engines.md section 1.8, and the forms that each plugin's settings take.
 */
const FORMS: readonly RegExp[] = [
  // A URL, of one host or several: the last @ before the path ends the login.
  /^[a-z][a-z\d+.-]*:\/\/[^:@/?#]*:([^/?#]+)@/di,
  /^[a-z][a-z\d+.-]*:\/\/.*[?&](?:password|pwd)=([^&#]+)/di,
  // Go's driver for MySQL: user:password@tcp(host)/
  /^[^:@/()]*:(.+)@\w*\(/d,
  // Oracle: user/password@place
  /^[^/@:=;\s]+\/(.+)@/d,
  // SQL Server: …;password=…;
  /(?:^(?:odbc:)?|;)\s*(?:password|pwd)\s*=\s*("(?:[^"]|"")*"|\{(?!\{)[^}]*\}|[^;]+)/di,
  // libpq: … password=…
  /(?:^|\s)password\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s\\;]|\\.)+)/di,
];

/** Where the URL's own password stands. Null: it has none, or a template in its place. */
function placeOf(url: string): readonly [start: number, end: number] | null {
  for (const form of FORMS) {
    const place = form.exec(url)?.indices?.[1];
    if (place !== undefined && !url.slice(...place).includes("{{")) return place;
  }
  return null;
}

/** Whether a password is written out in the URL. */
export function hasPassword(url: string): boolean {
  return placeOf(url) !== null;
}

/** The URL as it may be shown. */
export function withoutPassword(url: string): string {
  const place = placeOf(url);
  return place === null ? url : `${url.slice(0, place[0])}xxxxx${url.slice(place[1])}`;
}
