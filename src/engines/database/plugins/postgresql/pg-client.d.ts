/** The driver's client by itself, which its type package does not declare. */
declare module "pg/lib/client.js" {
  import { Client } from "pg";

  export default Client;
}
