import type { Flags, FlagValues } from "../flags.ts";

/** The flags of `vsec ssh`. @see reference: command line, ssh. */
export const SSH_FLAGS = {
  mode: {
    kind: "string",
    text: 'How to log in: "ca" with a certificate, "otp" with a one-time password.',
    words: ["ca", "otp"],
  },
  role: {
    kind: "string",
    text: "The role. With otp it may be left out where one role alone is for the host.",
  },
  "mount-point": { kind: "string", text: 'The path of the ssh engine. Absent: "ssh/".' },
  "no-exec": { kind: "bool", text: "Show what was issued instead of logging in." },
  "valid-principals": {
    kind: "string",
    text: "The users the certificate is for, with commas. Absent: who logs in.",
  },
  "public-key-path": { kind: "string", text: "The key to sign. Absent: ~/.ssh/id_rsa.pub." },
  "private-key-path": { kind: "string", text: "Its private half. Absent: ~/.ssh/id_rsa." },
  "host-key-mount-point": {
    kind: "string",
    text: "The path of an ssh engine that signs hosts' keys; hosts with such a key are trusted.",
  },
  "host-key-hostnames": { kind: "string", text: 'For which hosts that holds, with commas. Absent: "*".' },
  "strict-host-key-checking": {
    kind: "string",
    text: 'Handed to ssh as StrictHostKeyChecking. Absent: "ask".',
  },
  "user-known-hosts-file": {
    kind: "string",
    text: "Handed to ssh as UserKnownHostsFile.",
  },
  "ssh-executable": { kind: "string", text: 'The program to run. Absent: "ssh".' },
} as const satisfies Flags;

export type SshFlags = FlagValues<typeof SSH_FLAGS>;
