/** The most frequent English words, the most frequent first. Evidence that a text is English, not that it is bad. */
const COMMON: ReadonlyMap<string, number> = new Map(
  (
    "the of to and in is what for you that on are how was with as which this it an from by can my be at or do " +
    "have if he not has will your who when his many one does me following about first all did she should her " +
    "would each they there but any why their name two these time use were up more new its get need had most than " +
    "no where make into card after year people some also system movie much like answer out number them only used " +
    "other day been so please find then between now using state give we take best money tell world information " +
    "know during per show three explain account song list want question long work character over way years must " +
    "given without made before through because man help script total company could every based water him city " +
    "called just set car while data same known write different may series such go country times user always " +
    "example change type states second american prompt order being rate old output last life cost never say group " +
    "generate function top person value text played days amount mean game both am good us very include describe " +
    "end act back team left united part provide access half content another important hours language right pay " +
    "don school off response home program against found model true woman family high create play calculate let " +
    "temperature power according week down think line rules house anything war point price likely next energy " +
    "popular even won under human four book transfer common instructions hit real file well minutes form word " +
    "here law famous see large code our mass born start place going bank something able email around process " +
    "possible free average put food current questions light area above gas great related request love charged buy " +
    "add store history red credit said step film someone test words role specific earth located main payment " +
    "policy points term those students own often twice pressure air five star month third statement miles date " +
    "government speed body responses got class actor run less field hour charge reply capital age product " +
    "children problem come takes traffic call due business named social white received ways court needs small " +
    "friend friends however original interest security full president might market determine force still working " +
    "terms away care wants kind within spring making key short became single things ignore cash countries " +
    "national solution illegal check open level band job control read blocking excel property black including " +
    "bill public until symptoms correct mode season major standard costs makes bought blood went"
  )
    .split(" ")
    .map((word, rank) => [word, Math.log(0.09 / (rank + 2))]),
);

// -2 ln p(next letter | letter) in English words as a letter of the alphabet ("a" is 0); the 27th row and column are the
// word's begin and end.
const PAIRS = Float64Array.from(
  [
    "pighokinhnjfhdqiqefejikmhnf ekmndnqpgjtfmoenrgilfnrsftg eriperregvghnqdppgkehuvujsg",
    "gnojeokofpskmmfmrihnhlmsjtb gmhfijknjqnhifkjlefhnjkikqc grrsfgqtevrirsdrwfmhhvsskwc",
    "forndpjffurimhgjwfhkhuoujtc dnpncrqsevsmnlfprjmiktpvjre hjfhghhqnrkghdfjnhefmhtmskh",
    "dlpmdprphooqpndllllrdpququh hmmncmklenmjlfjmulfmkpmsjuc ellgeknqewlelofkvnhihllugtd",
    "dhnpdnprfutmhnefvmiohprugue gohefkenhnkkmjgooogejkqripd kjiijfjmjokggeihsehhfigmlpe",
    "epomeophgvpelpegveiggroskvf moopspopmsqhnqonukmhaqnrsuf flihdljoftjjhiflrighiknshsd",
    "hoinfmqggvkkkmghnogehokskuc golqepndfwukmofmuhhjiokuiqd highglhqhsnfgemgseeesptnkof",
    "fnopbustdytprlgpypmrntyvlyi enqofptdewolqhfqxijnrxouoxe fpfqgnqlfvtnkrkdqroejpolitd",
    "kmklgnnsjtrjikeivlgjosmotob dnntcpolftmkmlfoqnmmhppthgf egghhgigfkkigiggmhfejkfnioz",
  ]
    .join(" ")
    .replaceAll(" ", ""),
  (c) => (97 - c.charCodeAt(0)) / 2,
);
const EDGE = 26;
// A word outside the list, before its letters are looked at.
const UNKNOWN = -1;
const MAX_WORD = 30;

/** Log-probability of `word` as an English word; `word` holds a-z only. At most 30 letters are looked at. */
export function likelihood(word: string): number {
  const known = COMMON.get(word);
  if (known !== undefined) return known;
  let sum = UNKNOWN;
  let last = EDGE;
  const size = Math.min(word.length, MAX_WORD);
  for (let i = 0; i < size; i++) {
    const c = word.charCodeAt(i) - 97;
    sum += PAIRS[last * 27 + c] as number;
    last = c;
  }
  return sum + (PAIRS[last * 27 + EDGE] as number);
}

/** Whether `word` is among the most frequent English words. */
export function isKnown(word: string): boolean {
  return COMMON.has(word);
}

/** As `isKnown`, of three letters or more: shorter ones turn up by chance. */
export function isCommon(word: string): boolean {
  return word.length > 2 && COMMON.has(word);
}

/** Mean log-probability per letter of words; those of running English lie about -1.7, of random letters below -3.2. */
export function perLetter(words: readonly string[]): number {
  let sum = 0;
  let letters = 0;
  for (const word of words) {
    sum += likelihood(word);
    letters += Math.min(word.length, MAX_WORD);
  }
  return letters === 0 ? Number.NEGATIVE_INFINITY : sum / letters;
}

const LONGEST = 16;
/** Node of the tree of frequent words and letter -> node, 0 where no word goes on so. */
let children: Int16Array | undefined;
/** Log-probability of the word that ends at a node; NaN where none does. */
let ends: Float64Array;

function tree(): Int16Array {
  if (children) return children;
  let size = 1;
  for (const word of COMMON.keys()) size += word.length;
  children = new Int16Array(size * 26);
  ends = new Float64Array(size).fill(Number.NaN);
  let used = 1;
  for (const [word, value] of COMMON) {
    let node = 0;
    for (let i = 0; i < word.length; i++) {
      const slot = node * 26 + word.charCodeAt(i) - 97;
      if (children[slot] === 0) children[slot] = used++;
      node = children[slot] as number;
    }
    ends[node] = value;
  }
  return children;
}

/** Cuts letters without spaces (a-z only) into the words that are likeliest together. */
export function segmented(letters: string): string[] {
  const next = tree();
  const best = new Float64Array(letters.length + 1).fill(Number.NEGATIVE_INFINITY);
  const from = new Int32Array(letters.length + 1);
  best[0] = 0;
  for (let start = 0; start < letters.length; start++) {
    let sum = UNKNOWN;
    let last = EDGE;
    let node = 0;
    for (let end = start + 1; end <= Math.min(letters.length, start + LONGEST); end++) {
      const c = letters.charCodeAt(end - 1) - 97;
      sum += PAIRS[last * 27 + c] as number;
      if (node >= 0) node = (next[node * 26 + c] as number) || -1;
      const known = node > 0 ? (ends[node] as number) : Number.NaN;
      const word = Number.isNaN(known) ? sum + (PAIRS[c * 27 + EDGE] as number) : known;
      const total = (best[start] as number) + word;
      if (total > (best[end] as number)) {
        best[end] = total;
        from[end] = start;
      }
      last = c;
    }
  }
  const words: string[] = [];
  for (let end = letters.length; end > 0; end = from[end] as number) {
    words.push(letters.slice(from[end], end));
  }
  return words.reverse();
}
