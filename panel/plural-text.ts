/** A text in the forms that a language has for numbers (`Intl.PluralRules`); English has `one` and `other`. */
export type PluralText = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };
