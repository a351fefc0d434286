/**
 * How many aliases in a row are followed, by the core and by every store. A key may lead to one that moved on itself, but
 * of the rotations of `rotateEvery` few fall into the life of an alias.
 */
export const MOST_HOPS = 16;
