import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { boundsOf, UnknownBound } from "../../src/cli/pki/ca-bounds.ts";

/** A CA that openssl has made. */
function certificate(...extensions: readonly string[]): X509Certificate {
  const { stdout, stderr } = spawnSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", "/dev/null", "-subj", "/CN=CA", ...extensions.flatMap((one) => ["-addext", one])],
    ],
    { encoding: "utf8" },
  );
  if (stdout === "") throw new TypeError(stderr);
  return new X509Certificate(stdout);
}

test("a CA that has none gives no parameters", () => {
  expect(boundsOf(certificate())).toEqual({});
});

test("bounds are told as the parameters that make them", () => {
  const bound = certificate(
    "basicConstraints=critical,CA:TRUE,pathlen:300",
    "keyUsage=critical,digitalSignature,keyCertSign",
    "extendedKeyUsage=serverAuth,clientAuth",
    "nameConstraints=critical,permitted;DNS:example.com,permitted;DNS:.example.net,permitted;IP:10.0.0.0/255.255.255.0," +
      "excluded;IP:2001:db8::/ffff:ffff:8000::,excluded;email:.evil.org,excluded;URI:evil.org",
  );
  expect(boundsOf(bound)).toEqual({
    max_path_length: 300,
    permitted_dns_domains: "example.com,.example.net",
    permitted_ip_ranges: "10.0.0.0/24",
    excluded_ip_ranges: "2001:0db8:0000:0000:0000:0000:0000:0000/33",
    excluded_email_addresses: ".evil.org",
    excluded_uri_domains: "evil.org",
    ext_key_usage_oids: "1.3.6.1.5.5.7.3.1,1.3.6.1.5.5.7.3.2",
    key_usage: "DigitalSignature",
  });
});

test.each([
  ["an organization", "nameConstraints=critical,DER:3014a0123010a40e300c310a300806035504 0a0c0141"],
  ["a mask with gaps", "nameConstraints=critical,permitted;IP:10.0.0.5/255.0.0.255"],
  ["a comma", "nameConstraints=critical,DER:3009a0073005820361 2c62"],
  ["a distance", "nameConstraints=critical,DER:300ca00a3008820361 6263800101"],
])("a bound by %s is not left out without a word", (_what, extension) => {
  expect(() => boundsOf(certificate(extension.replace(" ", "")))).toThrow(UnknownBound);
});
