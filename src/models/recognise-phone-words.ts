import type { CountryCode } from "libphonenumber-js/min";

/** Words that call for a number in one language, and the countries whose national forms it is then tried in, likeliest first. */
interface Cue {
  /** Global. */
  readonly words: RegExp;
  readonly countries: readonly CountryCode[];
}

const cue = (words: string, countries: string): Cue => ({
  words: new RegExp(`(?<!\\p{L})(?:${words})`, "giu"),
  countries: countries.split(" ") as CountryCode[],
});

// "Number" alone says nothing: it is somebody's, or that of a phone.
const CUES: readonly Cue[] = [
  cue(
    "(?:hand|tele)?phone|mobile|cell(?:ular|phone)?(?!\\p{L})|tel(?!\\p{L})|call(?:s|ed|ing)?(?!\\p{L})|(?:my|his|her|our|their) (?:\\p{L}+ )?number|whats ?app|(?:text|ring|reach|phone) (?:me|us|him|her)|contact|dial|fax|voicemail|hotline|landline",
    "US GB AU IN IE ZA NZ",
  ),
  cue(
    "ruf\\p{L}* (?:\\p{L}+ ){0,2}an|rufen? (?:mich|uns|sie|ihn|dich)|ruf mich|anruf\\p{L}*|angerufen|erreichbar|erreichst|erreichen|telefon\\p{L}*|telefax|tel(?!\\p{L})|(?:meine|seine|ihre|unsere|deine) (?:neue |private )?nummer|handy\\p{L}*|mobil(?:nummer|telefon)?(?!\\p{L})|festnetz\\p{L}*|rufnummer|durchwahl|rückruf\\p{L}*|rückrufe?|zurückrufen|melde? dich|kontakt\\p{L}*|whatsapp",
    "DE AT CH",
  ),
  cue(
    "ll[aá]m[aeo]\\p{L}*|tel[eé]fono\\p{L}*|tel(?!\\p{L})|m[oó]vil|celular|cel(?!\\p{L})|(?:mi|su|tu|nuestro) n[uú]mero|whatsapp|wasap|cont[aá]ct[aoe]\\p{L}*|fijo|m[aá]rca(?:r|me)? (?:el|al)",
    "ES MX AR CO CL PE",
  ),
  cue(
    "chiam[aio]\\p{L}*|telefon\\p{L}*|tel(?!\\p{L})|cellulare|cell(?!\\p{L})|(?:mio|suo|tuo|nostro) numero|recapito|whatsapp|fisso|scrivimi (?:su|al)|contatt\\p{L}*",
    "IT CH",
  ),
  cue(
    "bel (?:me|ons|mij|gerust|naar|op)|bellen|bel(?!\\p{L})|telefoon\\p{L}*|tel(?!\\p{L})|mobiel\\p{L}*|gsm|(?:mijn|ons|zijn|haar|je|uw) (?:mobiele )?(?:0?6-)?nummer|bereikbaar|bereiken|whatsapp|app (?:me|mij)",
    "NL BE",
  ),
  cue(
    "ring(?:a|er|e)? (?:\\p{L}+ (?=på|til))?(?:mig|meg|oss|på|till|til|gärna|gjerne)|ring(?=\\s*:?\\s*$)|telefon\\p{L}*|tel(?:efon|fn)?(?!\\p{L})|tlf|mobil(?:nummer|en|telefon)?(?!\\p{L})|(?:mitt|vårt|hans|hennes|ditt|mit) (?:nummer|mobilnummer)|nå mig|nås på|kontakt\\p{L}*|sms:?a",
    "SE NO DK",
  ),
  cue(
    "appel\\p{L}*|rappel\\p{L}*|t[eé]l[eé]ph?o\\p{L}*|t[eé]l(?!\\p{L})|portable|(?:mon|son|notre|votre|ton) num[eé]ro|joindre|joignable|fixe|whatsapp|contact\\p{L}*|sms",
    "FR BE CH",
  ),
  cue(
    "lig(?:a|ue|ar|uem|o)(?:-me)?(?!\\p{L})|telefon\\p{L}*|tel(?!\\p{L})|celular|telem[oó]vel|(?:meu|seu|nosso) n[uú]mero|whatsapp|zap|contat?[oc]\\p{L}*|fixo",
    "BR PT",
  ),
  cue(
    "zadzwo\\p{L}*|dzwo\\p{L}*|telefon\\p{L}*|tel(?!\\p{L})|kom[oó]rk\\p{L}*|kom(?=\\.)|(?:m[oó]j|nasz|jego|jej|tw[oó]j) (?:nowy )?numer|numer telefonu|pod numerem|oddzwo\\p{L}*|kontakt\\p{L}*|sms",
    "PL CZ",
  ),
  cue(
    "telefon\\p{L}*|tel(?!\\p{L})|(?<!(?:sipariş|hesap|kargo|müşteri|takip|kimlik|fatura|poliçe|dosya) )numara(?:m|mız|s[ıi])\\p{L}*|cep(?!\\p{L})|cebim\\p{L}*|gsm|(?:beni|bizi) (?:\\p{L}+ )?ara\\p{L}*|ara(?:y[ıi]n|yabil\\p{L}*|rsan)|whatsapp",
    "TR",
  ),
  cue(
    "тел(?:\\.|ефон\\p{L}*)|моб(?:\\.|ильн\\p{L}*)|(?:по|пере)?звони\\p{L}*|(?:мой|его|её|ее|наш|твой) номер|номер (?:телефона|мобильн\\p{L}*)|сотов\\p{L}*|набери\\p{L}*|ватсап|вотсап|телефону|дзвон\\p{L}*|(?:мій|наш) номер",
    "RU UA KZ BY",
  ),
  cue(
    "رقم(?:ي|ه|ها|نا)|رقم (?:ال)?(?:هاتف|جوال|موبايل|تليفون|تلفون)|(?:ال)?(?:هاتف|جوال|موبايل|تليفون|تلفون|محمول|واتس\\p{L}*)|\\p{L}{0,2}اتصل\\p{L}*|كلم(?:ني|نا)|للتواصل",
    "SA AE EG JO MA",
  ),
  cue(
    "ה?טלפון|ה?נייד|ה?פלאפון|\\p{L}{0,2}תקשר\\p{L}*|חייג\\p{L}*|המספר של\\p{L}*|ב?וואטסאפ|צלצל\\p{L}*",
    "IL",
  ),
  // Nothing parts these from the words before them.
  { words: /電話|でんわ|携帯|ケータイ|連絡先|ご連絡|(?<![a-z])tel(?![a-z])|FAX/giu, countries: ["JP"] },
  { words: /전화|연락|휴대|핸드폰|폰\s?번호|(?:제|내|저희|그의) 번호|문자|팩스/gu, countries: ["KR"] },
  { words: /電話|手機|聯絡|致電|號碼|打给|打給|whatsapp/giu, countries: ["TW", "HK"] },
  { words: /फ़ोन|फोन|मोबाइल|नंबर|कॉल/gu, countries: ["IN"] },
  { words: /โทร|เบอร์|มือถือ/gu, countries: ["TH"] },
  cue("nomor|telepon|hubungi|hp(?!\\p{L})|(?:nombor )?telefon", "ID MY"),
  cue("(?:số )?điện thoại|số (?:của|tôi|em|anh)|gọi|sđt|zalo", "VN"),
  cue("τηλ\\p{L}*|κινητ\\p{L}*|κάλεσ\\p{L}*|πάρε", "GR"),
  cue("puhelin\\p{L}*|puh(?!\\p{L})|soita\\p{L}*|numeroni", "FI"),
  cue("zavolej\\p{L}*|volejte|(?:moje|mé) číslo|telefon\\p{L}*|mobil\\p{L}*", "CZ SK"),
  cue("hívj\\p{L}*|telefon\\p{L}*|telefonszám\\p{L}*|számom", "HU"),
  cue("sun[aă]\\p{L}*|telefon\\p{L}*|num[aă]rul (?:meu|nostru)", "RO"),
];

/** A label behind the cue that says what else the number is. */
const OTHER =
  /(?<!\p{L})(?:bestell|auftrag|rechnung|kunden|vertrag|konto(?!r)|sendung|serien|artikel|akten|steuer|pedido|factura|client|cuenta|contrat|expediente|seguimiento|referencia|commande|compte|dossier|colis|s[eé]rie|ordin|fattur|cont[oa](?!\p{L})|pratica|codice|spedizione|bestelling|bestel|factu|klant|rekening|order|faktur|kund|encomenda|fatura|zam[oó]wi|umow|paczk|przesyłk|konta(?!k)|klient|sipariş|hesap|kargo|müşteri|takip|sözleşme|заказ|сч[её]т|договор|посыл|трек|клиент|طلب|فاتور|حساب|شحن|הזמנ|חשבו|לקוח|model|modell|version|auflösung|résolution|resoluci)|注文|請求|会員|伝票|お客様番号|주문|송장|회원|계좌|订单|訂單/iu;

const NEAR = 26;

/** Whether the last thing before a number, in another language than English, says that it is no telephone's. */
export function isLabelledOtherwise(before: string): boolean {
  const near = before.slice(-NEAR);
  const at = OTHER.exec(near)?.index;
  if (at === undefined) return false;
  const behind = near.slice(at).replace(OTHER, "");
  return !CUES.some(({ words }) => behind.search(words) >= 0);
}

/** Between a cue and few digits: its own end, a colon, or a small word that leads to a number. */
const LEADS =
  /(?:^\p{L}*|[:=]|(?<!\p{L})(?:al|el|es|en|a|no|na|é|este|är|er|på|til|pod|numer|nummer|numero|número|numéro|to|is|op|aan|ist|lautet|unter|auf|au|est|le|la|su|è|il|nr|n[°ºo]|по|на|номер|это|ב|ל|إلى|على|هو))[\s.:="'(-]*$/iu;

/**
 * The countries to try for a number between these words: none where no language's cue stands beside it.
 * @param short the number has few digits and no sign of a telephone's, so that words before it lead right up to it.
 */
export function countriesFor(before: string, after: string, short: boolean): Set<CountryCode> {
  const out = new Set<CountryCode>();
  for (const { words, countries } of CUES) {
    const cue = [...before.matchAll(words)].at(-1);
    const near = cue
      ? !short || LEADS.test(before.slice(cue.index + cue[0].length))
      : !short && after.search(words) >= 0;
    if (near) for (const country of countries) out.add(country);
  }
  return out;
}
