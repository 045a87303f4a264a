/** How a rule says what it found. */
export type Path = readonly PropertyKey[];

/** @param cure what the operator does about it */
export type Note = (path: Path, message: string, cure: string) => void;
