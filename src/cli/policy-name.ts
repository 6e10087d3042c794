/** A policy's name as the store has it: without blanks at its ends, in lower case. */
export function policyName(text: string): string {
  return text.trim().toLowerCase();
}
