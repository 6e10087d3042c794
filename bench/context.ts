/** What every figure works with. */
import { join } from "node:path";
import { type MysqlServer, startMysql } from "../test/servers/mysql.ts";
import { type PostgresServer, startPostgres } from "../test/servers/postgres.ts";
import { temporaryDirectory } from "../test/servers/process.ts";
import { compileProgram, ONE_LINE } from "./programs.ts";

export interface BenchContext {
  /** The binary that is measured. */
  readonly vsec: string;
  /** For what a figure makes; removed at the end. */
  readonly directory: string;
  /** The one-line program, compiled in this run. */
  oneLine(): string;
  /** A PostgreSQL 18 that flushes to disk, shared by the figures. */
  postgres(): Promise<PostgresServer>;
  /** A MariaDB that flushes to disk, shared by the figures. */
  mariadb(): Promise<MysqlServer>;
  close(): Promise<void>;
}

export function openContext(vsec: string): BenchContext {
  const directory = temporaryDirectory("vsec-bench-");
  let oneLine: string | undefined;
  let server: Promise<PostgresServer> | undefined;
  let mariadb: Promise<MysqlServer> | undefined;
  return {
    vsec,
    directory: directory.path,
    oneLine: () => {
      oneLine ??= compileProgram("one-line", ONE_LINE, join(directory.path, "programs"));
      return oneLine;
    },
    postgres: () => {
      server ??= startPostgres({ version: 18, durable: true });
      return server;
    },
    mariadb: () => {
      mariadb ??= startMysql({ flavour: "MariaDB", durable: true });
      return mariadb;
    },
    close: async () => {
      await (await server)?.stop();
      await (await mariadb)?.stop();
      directory.remove();
    },
  };
}
