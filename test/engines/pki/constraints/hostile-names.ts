/**
 * Names that are made to slip past constraints, and what has to become of each. A name is its kind and its text: `dns:`,
 * `email:`, `uri:`, `ip:` are alternative names; `cn:` is a common name without any, `mail:` an address in the subject; `utf8:`
 * is a mail address as an otherName. A constraint is written likewise; `hex:` and its kind stand for bytes that are none.
 */
export interface Group {
  readonly title: string;
  readonly permitted?: readonly string[];
  readonly excluded?: readonly string[];
  /** Within the constraints, for us and for openssl. */
  readonly issued?: readonly string[];
  /** Outside, for us and for openssl. */
  readonly refused?: readonly string[];
  /** Refused although openssl takes it: with the reason. */
  readonly stricter?: Readonly<Record<string, string>>;
  /** Issued although openssl does not take it: with the reason. */
  readonly laxer?: Readonly<Record<string, string>>;
  /** Those of `issued` that GnuTLS does not take. */
  readonly notForGnutls?: readonly string[];
}

/*
 * What GnuTLS does not take although it is permitted: to it every common name is a host where there is no DNS name; it does not
 * understand constraints on URIs and on directory names, nor masks with gaps; and a block of addresses that is none spoils all.
 */

const DOT = "some verifiers take the dot off, others refuse the name";
const EMPTY_LABEL = "Go refuses a name with an empty label";
const WILDCARD = "the wildcard stands for a name that is excluded";
const USER = "openssl takes what is before the @ for the host";
const NO_HOST = "openssl holds no name against an empty constraint, Go every name";

const LONG = "a".repeat(63);
const TOO_LONG = "a".repeat(64);

export const GROUPS: readonly Group[] = [
  {
    title: "a permitted domain",
    notForGnutls: ["cn:Bob", "cn:Bob of evil.org", "cn:localhost", "cn:-a.evil.org"],
    permitted: ["dns:example.com"],
    issued: [
      "dns:example.com",
      "dns:a.example.com",
      "dns:a.b.example.com",
      "dns:EXAMPLE.COM",
      "dns:a.ExAmPlE.cOm",
      "dns:*.example.com",
      "dns:*.a.example.com",
      "dns:f*.example.com",
      "dns:_sip._tcp.example.com",
      "dns:xn--bcher-kva.example.com",
      `dns:${LONG}.example.com`,
      `dns:${TOO_LONG}.example.com`,
      `dns:${Array.from({ length: 40 }, () => "a").join(".")}.example.com`,
      "dns:10.0.0.1.example.com",
      // Constraints on one kind of name say nothing of others.
      "email:bob@evil.org",
      "uri:https://evil.org/",
      "ip:10.0.0.1",
      "cn:Bob",
      "cn:Bob of evil.org",
      "cn:localhost",
      "cn:a.example.com",
      "cn:-a.evil.org",
    ],
    refused: [
      "dns:evil.org",
      "dns:example.com.evil.org",
      "dns:evilexample.com",
      "dns:example.co",
      "dns:com",
      "dns:*",
      "dns:*.com",
      "dns:*xample.com",
      "dns:example.com.",
      "dns:a.example.com.",
      "dns:evil.org\0.example.com.evil.org",
      "dns:example.com\0",
      "dns: example.com ",
      "dns:xn--example-com",
      "dns:exam\u00adple.com",
      "dns:10.0.0.1",
      "dns:example.com:443",
      "dns:https://example.com/",
      "dns:example。com",
      "dns:",
      "cn:a.evil.org",
      "cn:A.EVIL.ORG",
      "cn:a_b.evil.org",
      "cn:10.0.0.1",
      "cn:a.evil.org\0",
    ],
    stricter: {
      "dns:.example.com": EMPTY_LABEL,
      "dns:a..example.com": EMPTY_LABEL,
      "dns:evil.org\0.example.com": "what reads up to the NUL sees another name",
      "dns:evil.org/.example.com\n.example.com": "it is not made of printable characters",
      "cn:*.evil.org": "clients that look at the common name know wildcards too",
      "cn:a.evil.org.": DOT,
    },
  },
  {
    title: "a permitted domain, with a dot before it",
    permitted: ["dns:.example.com"],
    issued: ["dns:a.example.com", "dns:*.example.com", "dns:a.b.example.com"],
    refused: ["dns:example.com", "dns:evilexample.com", "dns:*.com"],
    stricter: { "dns:.example.com": EMPTY_LABEL },
  },
  {
    title: "a permitted host",
    permitted: ["dns:a.b.example.com"],
    issued: ["dns:a.b.example.com", "dns:*.a.b.example.com"],
    refused: ["dns:b.example.com", "dns:*.b.example.com", "dns:*.example.com", "dns:xa.b.example.com"],
  },
  {
    title: "several permitted domains",
    permitted: ["dns:example.com", "dns:example.net", "ip:10.0.0.0/8"],
    issued: ["dns:a.example.net", "dns:a.example.com", "ip:10.1.2.3"],
    refused: ["dns:a.example.org", "ip:11.0.0.1", "dns:10.1.2.3"],
  },
  {
    title: "a permitted domain in capitals",
    permitted: ["dns:EXAMPLE.com"],
    issued: ["dns:a.example.COM"],
    refused: ["dns:a.example.org"],
  },
  {
    title: "constraints that are no domains",
    permitted: ["dns:*.example.com", "dns:example.net.", "dns:https://example.org"],
    issued: ["dns:*.example.com"],
    refused: ["dns:a.example.com", "dns:a.example.net", "dns:example.org"],
    stricter: { "dns:a.example.net.": DOT },
  },
  {
    title: "a permitted domain that is empty",
    permitted: ["dns:"],
    issued: ["dns:a.example.com", "dns:com"],
    stricter: { "dns:a.example.com.": DOT },
  },
  {
    title: "an excluded domain",
    excluded: ["dns:evil.example.com"],
    issued: [
      "dns:example.com",
      "dns:a.example.com",
      "dns:notevil.example.com",
      "dns:evil.example.com.org",
      "dns:*.a.example.com",
      "dns:*.net",
      "email:bob@evil.example.com",
      "cn:a.example.com",
    ],
    refused: [
      "dns:evil.example.com",
      "dns:a.evil.example.com",
      "dns:EVIL.example.com",
      "dns:*.evil.example.com",
      "cn:a.evil.example.com",
    ],
    stricter: {
      "dns:*.example.com": WILDCARD,
      "dns:e*l.example.com": WILDCARD,
      "dns:evil.example.com.": DOT,
      "dns:a.example.com.": DOT,
      "dns:evil.example.com\0.org": "what reads up to the NUL sees another name",
      "dns:a..example.com": EMPTY_LABEL,
      "cn:*.evil.example.com": "clients that look at the common name know wildcards too",
    },
  },
  {
    title: "a permitted domain with an excluded one in it",
    permitted: ["dns:example.com"],
    excluded: ["dns:hr.example.com"],
    issued: ["dns:it.example.com", "dns:*.it.example.com"],
    refused: ["dns:hr.example.com", "dns:a.hr.example.com", "dns:example.org"],
    stricter: { "dns:*.example.com": WILDCARD },
  },
  {
    title: "an excluded top-level domain, and one with a dot before it",
    excluded: ["dns:org", "dns:.example.com"],
    issued: ["dns:example.com", "dns:example.net"],
    refused: ["dns:org", "dns:a.org", "dns:a.example.com", "dns:*.example.com"],
  },
  {
    title: "every DNS name excluded",
    notForGnutls: ["cn:Bob"],
    excluded: ["dns:"],
    issued: ["email:bob@example.com", "cn:Bob"],
    refused: ["dns:a.example.com", "dns:localhost", "cn:a.example.com"],
  },
  {
    title: "an excluded domain that is written with a dot at its end",
    excluded: ["dns:evil.org."],
    issued: ["dns:example.com"],
    stricter: { "dns:a.evil.org": "it is meant, however it is written" },
  },
  {
    title: "a permitted host of mail",
    permitted: ["email:example.com"],
    issued: [
      "email:bob@example.com",
      "email:BOB@EXAMPLE.COM",
      'email:"bob smith"@example.com',
      "email:bob+tag@example.com",
      "mail:bob@example.com",
      "dns:evil.org",
    ],
    refused: [
      "email:bob@a.example.com",
      "email:bob@evil.org",
      "email:bob@example.com@evil.org",
      "email:example.com",
      "email:bob@example.com.",
      "email:bob@",
      "email:bob@example.com\0",
      "email:bob@evil.org\0@example.com\0",
      "email:bob@[10.0.0.1]",
      "mail:bob@evil.org",
      "mail:Bob <bob@example.com>",
      "utf8:böb@evil.org",
    ],
    stricter: {
      "email:bob@evil.org\0@example.com": "what reads up to the NUL sees another address",
      "email:bob@evil.org@example.com": "it has two signs of an address",
      'email:"bob@example.com': "its quote does not end",
      "email:@example.com": "it names no mailbox",
      "email:bob smith@example.com": "a mailbox with a space has quotes",
      "utf8:böb@example.com": "few verifiers compare such addresses",
    },
  },
  {
    title: "permitted hosts of mail below a domain",
    permitted: ["email:.example.com"],
    issued: ["email:bob@a.example.com", "email:bob@a.b.EXAMPLE.com"],
    refused: ["email:bob@example.com", "email:bob@evilexample.com", "email:bob@a.example.com.evil.org"],
    stricter: { "email:bob@.example.com": EMPTY_LABEL },
  },
  {
    title: "a permitted mailbox",
    permitted: ["email:bob@example.com"],
    issued: ["email:bob@example.com", "email:bob@EXAMPLE.com"],
    refused: [
      "email:Bob@example.com",
      "email:eve@example.com",
      "email:xbob@example.com",
      "email:bob@a.example.com",
      'email:"bob"@example.com',
    ],
  },
  {
    title: "an excluded mailbox",
    excluded: ["email:root@example.com"],
    issued: ["email:bob@example.com", "email:root@example.org", "email:root+tag@example.com"],
    refused: ["email:root@example.com", "email:root@EXAMPLE.com", "mail:root@example.com"],
    stricter: {
      "email:ROOT@example.com": "most hosts take it for the same mailbox",
      'email:"root"@example.com': "it is the same mailbox",
      'email:"r\\oot"@example.com': "it is the same mailbox",
    },
  },
  {
    title: "an empty constraint on mail",
    permitted: ["email:"],
    refused: ["email:bob@example.com"],
  },
  {
    title: "an empty exclusion of mail",
    excluded: ["email:"],
    issued: ["dns:a.example.com"],
    stricter: { "email:bob@example.com": NO_HOST },
  },
  {
    title: "a permitted host of URIs",
    permitted: ["uri:example.com"],
    issued: [
      "uri:https://example.com",
      "uri:https://EXAMPLE.com/path",
      "uri:https://example.com:8443/path",
      "uri:spiffe://example.com/ns/a",
      "dns:evil.org",
    ],
    refused: [
      "uri:https://a.example.com/",
      "uri:https://evil.org/",
      "uri:https://evil.org/example.com",
      "uri:https://evil.org#example.com",
      "uri:https://evil.org?example.com",
      "uri:https://bob@example.com/",
      "uri:https://bob:word@example.com/",
      "uri:https://example.com@evil.org/",
      "uri:https://example.com./",
      "uri:https://example.com\\@evil.org/",
      "uri:https://example%2ecom/",
      "uri:urn:example.com",
      "uri:mailto:bob@example.com",
      "uri:https:example.com",
      "uri:https://10.0.0.1/",
      "uri:https://[2001:db8::1]/",
      "uri:https:///example.com",
    ],
    stricter: {
      "uri:https://example.com:word@evil.org/": USER,
      "uri:https://example.com:80:90/": "it has two ports",
    },
    laxer: {
      "uri:https://example.com/a:b": "openssl takes the last part of the path for a port",
      "uri:https://example.com?q": "openssl takes the query for a part of the host",
      "uri:https://example.com#f": "openssl takes the fragment for a part of the host",
    },
  },
  {
    title: "permitted hosts of URIs below a domain",
    permitted: ["uri:.example.com"],
    issued: ["uri:https://a.example.com/", "uri:https://a.b.example.com:80/"],
    refused: [
      "uri:https://example.com/",
      "uri:https://.example.com/",
      "uri:https://evilexample.com/",
      "uri:https://a.example.com.evil.org/",
    ],
  },
  {
    title: "an excluded host of URIs",
    notForGnutls: ["uri:https://example.com/evil.org", "uri:https://a.evil.org/", "uri:https://notevil.org/"],
    excluded: ["uri:evil.org"],
    issued: ["uri:https://example.com/evil.org", "uri:https://a.evil.org/", "uri:https://notevil.org/"],
    refused: ["uri:https://evil.org/", "uri:https://EVIL.org:80", "uri:urn:isbn:1"],
    stricter: {
      "uri:https://bob@evil.org/": USER,
      "uri:https://bob:word@evil.org/": USER,
      "uri:https://evil.org./": DOT,
      "uri:https://evil.org?q": "openssl takes the query for a part of the host",
      "uri:https://evil.org/a:b": "openssl takes the last part of the path for a port",
      "uri:https://10.0.0.1/": "a host that is an address may be any",
      "uri:https://0x7f.1/": "a host that is an address may be any",
    },
  },
  {
    title: "a permitted host of URIs that is an address",
    permitted: ["uri:10.0.0.1"],
    stricter: { "uri:https://10.0.0.1/": "constraints on URIs are for host names" },
  },
  {
    title: "a permitted block of addresses",
    permitted: ["ip:10.0.0.0/8"],
    // An IPv4 address in IPv6 clothes is taken out of them.
    issued: ["ip:10.0.0.0", "ip:10.255.255.255", "ip:::ffff:10.0.0.1", "dns:evil.org", "dns:a.10.0.0.1"],
    refused: ["ip:11.0.0.0", "ip:9.255.255.255", "ip:2001:db8::1", "ip:::10.0.0.1"],
    stricter: { "dns:192.168.0.1": "some clients look for addresses among the host names" },
  },
  {
    title: "a permitted block of IPv6 addresses",
    permitted: ["ip:2001:db8::/32"],
    issued: ["ip:2001:db8::1", "ip:2001:db8:ffff::"],
    refused: ["ip:2001:db9::1", "ip:10.0.0.1", "ip:::1"],
  },
  {
    title: "all IPv4 addresses permitted",
    permitted: ["ip:0.0.0.0/0"],
    issued: ["ip:10.0.0.1", "ip:255.255.255.255"],
    refused: ["ip:2001:db8::1"],
  },
  {
    title: "an excluded block of addresses",
    excluded: ["ip:10.0.0.0/8", "ip:2001:db8::/32"],
    issued: ["ip:192.168.0.1", "ip:2001:db9::1"],
    refused: ["ip:10.0.0.1", "ip:2001:db8::1"],
    stricter: {
      "ip:::ffff:10.0.0.1": "it is an IPv4 address that is excluded",
      "dns:10.0.0.1": "some clients look for addresses among the host names",
    },
  },
  {
    title: "an excluded block of IPv4 addresses in IPv6 clothes",
    excluded: ["ip:::ffff:10.0.0.0/104"],
    issued: ["ip:192.168.0.1", "ip:2001:db8::1"],
    refused: ["ip:::ffff:10.0.0.1"],
    stricter: { "ip:10.0.0.1": "it is meant, however it is written" },
  },
  {
    title: "all IPv6 addresses excluded",
    excluded: ["ip:::/0"],
    issued: ["ip:10.0.0.1"],
    refused: ["ip:::1", "ip:2001:db8::1"],
  },
  {
    title: "a block whose mask has gaps",
    notForGnutls: ["ip:10.1.2.5", "ip:10.9.9.5"],
    permitted: ["hex:ip:0a000005ff0000ff"],
    issued: ["ip:10.1.2.5", "ip:10.9.9.5"],
    refused: ["ip:10.1.2.6", "ip:11.1.2.5"],
  },
  {
    title: "blocks of addresses that are none",
    notForGnutls: ["dns:a.example.com"],
    permitted: ["hex:ip:0a0000ff", "hex:ip:"],
    issued: ["dns:a.example.com"],
    refused: ["ip:10.0.0.1"],
  },
  {
    title: "a block of addresses beside one that is none",
    permitted: ["hex:ip:0a0000ff00", "ip:10.0.0.0/8"],
    refused: ["ip:10.0.0.1"],
  },
  {
    title: "an excluded block of addresses that is none",
    notForGnutls: ["dns:a.example.com"],
    excluded: ["hex:ip:0a0000ff"],
    issued: ["dns:a.example.com"],
    refused: ["ip:10.0.0.1", "ip:192.168.0.1"],
  },
  {
    title: "kinds of names of which one is permitted",
    permitted: ["dns:example.com", "email:example.com"],
    issued: ["dns:a.example.com", "email:bob@example.com", "ip:10.0.0.1", "uri:https://evil.org/"],
    refused: ["dns:evil.org", "email:bob@evil.org"],
  },
  {
    title: "a permitted organization",
    permitted: ["directory:Acme"],
    issued: ["subject:Acme", "subject:ACME", "subject: Acme ", "subject:Acme,Unit"],
    refused: ["subject:Evil", "subject:Acme Inc", "cn:Acme", "subject:Evil,Acme"],
  },
  {
    title: "an excluded organization",
    notForGnutls: ["subject:Acme", "dns:a.example.com"],
    excluded: ["directory:Evil Corp"],
    issued: ["subject:Acme", "dns:a.example.com"],
    refused: ["subject:Evil Corp", "subject:evil  corp", "subject:Evil Corp,Unit"],
  },
  {
    title: "names of another kind permitted",
    permitted: ["other:example"],
    issued: ["dns:a.example.com", "cn:Bob"],
    refused: ["upn:bob@example.com"],
  },
];
