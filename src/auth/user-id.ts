/** Anything that a token's `sub` may be; not what templates print for a missing value (`<nil>`). */
export const USER_ID = /^[^\s<>\p{C}]{1,255}$/u;
