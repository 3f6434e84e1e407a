/** Something that whoever runs a benchmark can mend; its sentence is all that they need. */
export class UsageError extends Error {}
