/** A set-up step that could not be done; `details` is what the user reads below the first line. */
export class SetupError extends Error {
  constructor(message, details) {
    super(message);
    this.details = details;
  }
}

/** Prints a set-up error without a stack trace and sets the exit code; anything else is a defect. */
export function report(error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`\n${error.message}\n${error.details}\n`);
  process.exitCode = 3;
}
