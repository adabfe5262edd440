/** To six decimals, as `classify` gives scores. */
export const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;
