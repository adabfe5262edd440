/** Luhn's check over the digits of `value`; other characters are skipped. */
export function luhn(value: string): boolean {
  let sum = 0;
  let double = false;
  for (let i = value.length - 1; i >= 0; i--) {
    const d = value.charCodeAt(i) - 48;
    if (d < 0 || d > 9) continue;
    const n = double ? d * 2 : d;
    sum += n > 9 ? n - 9 : n;
    double = !double;
  }
  return sum % 10 === 0;
}

/** ISO 7064 mod 97-10 of an IBAN without separators, upper case. */
export function mod97(iban: string): boolean {
  let rest = 0;
  for (const c of iban.slice(4) + iban.slice(0, 4)) {
    const n = Number.parseInt(c, 36);
    rest = (rest * (n > 9 ? 100 : 10) + n) % 97;
  }
  return rest === 1;
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** The check digit of an 18-place Chinese resident id (ISO 7064 mod 11-2). */
export function residentId(id: string): boolean {
  let sum = 0;
  for (let i = 0; i < 17; i++) sum += (id.charCodeAt(i) - 48) * (WEIGHTS[i] as number);
  return "10X98765432"[sum % 11] === id.charAt(17).toUpperCase();
}

/** Whether "YYYYMMDD" is a day from 1900 to today. */
export function birthday(date: string): boolean {
  const [year, month, day] = [Number(date.slice(0, 4)), Number(date.slice(4, 6)), Number(date.slice(6))];
  const at = new Date(Date.UTC(year, month - 1, day));
  return (
    year >= 1900 && at.getUTCMonth() === month - 1 && at.getUTCDate() === day && at.getTime() <= Date.now()
  );
}

/** Whether a Social Security number lies in the issued ranges. `digits` has nine digits. */
export function issuedSsn(digits: string): boolean {
  const area = digits.slice(0, 3);
  if (area === "000" || area === "666" || area >= "900") return false;
  if (digits.slice(3, 5) === "00" || digits.slice(5) === "0000") return false;
  return digits !== "078051120" && digits !== "219099999" && !/^(\d)\1{8}$/.test(digits);
}

/** Length of an IBAN by country code. */
export const IBAN_LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 " +
    "FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 " +
    "LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 " +
    "RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);
