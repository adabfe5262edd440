"""Writes the cases that `test/models/wordpiece.test.ts` checks, with the answers of the `tokenizers` library.

    python training/fixture.py [tokenizer.json]        about half a minute; writes test/models/wordpiece.json.gz

The file holds the texts and, one behind the other, the tokens of all of them: `gaps` from the end of the token before (or
the text's begin) to a token's start and `lengths`, both in UTF-16 units, `cases` one digit each. A text is a string, or
[first, last] for `PATTERN` with each code point from first to last in the place of `*`.
"""

import gzip
import hashlib
import json
import random
import sys
import unicodedata
from pathlib import Path

from common import MODELS, SEED
from tokens import Tokens

PATTERN = "* a*b \u7684* A*"
BLOCK = 256
RANDOM = 2700
UNSURE = "4"
"""Written for the case of a word with a character that this Python does not know: its case is a matter of versions."""
YOUNG_CAPITALS = "\u019b\u0264\ua7d3\ua7d5"
"""Small letters that got a capital in Unicode 16 or 17."""

SENTENCES = """\
Could you explain, step by step, why the sky looks blue at noon but red at sunset?
My e-mail is jane.doe+test@example.com; call me at +1 (555) 010-9999 before 5pm, OK?
def add(a, b): return a+b  # TODO_not; x[i] = {"k": 'v'} && !y || z != 3.14e-10
The naïve café owner's résumé—"facade", coöperation, 3rd-rate—cost £1,234.56 (or €1.000,50).
McDonald's CEO said iPhones & eBay XIV aren't USA-made; O'Neil's PhD thesis, vol. II, p. 7.
请解释光合作用的过程，并用三句话总结。
我用 Python3 写了个脚本，版本是v3.12，运行在Ubuntu22.04上，为什么会报错？
王小明，男，35岁，身份证号11010519491231002X，住在北京市朝阳区建国路88号。
臺灣的繁體字與簡體字有什麼不同？請舉例說明「門」與「們」。
㐀㑇𠀀𠮷野家の牛丼を食べる；龘靐齉。
¿Cuál es la capital de España? ¡Dímelo ya, señor Núñez!
Où se trouve la bibliothèque ? L'été, j'y vais à 8 h ; ça coûte 5 € — œuvre, Ÿ.
Die Straße heißt „Großer Weg“; Übergrößen für Füße: ÄÖÜ ẞ STRASSE.
Qual è la città più bella d'Italia? Perché così, però no.
Não há pão; a ação começou às três, disse João à irmã.
De geïnteresseerde zeeën: ĳsbeer of IJsbeer, 's avonds om 8 uur.
Gdzie jest najbliższy sklep? Zażółć gęślą jaźń, ŁÓDŹ.
Příliš žluťoučký kůň úpěl ďábelské ódy; ČEŠTINA.
Árvíztűrő tükörfúrógép, ŐRÜLT.
Pijamalı hasta yağız şoföre çabucak güvendi; İSTANBUL'da ıhlamur, Iğdır.
Where is Ångström's blåbærsyltetøy? Þórður á Íslandi, ÆØÅ.
Tiếng Việt có dấu: Hà Nội, phở bò, người Việt Nam đẹp lắm, ĐƯỜNG.
Привет! Объясни, пожалуйста, почему ёлка зелёная, а ЁЖИК колючий.
Добрий день, їжак і ґанок; об'єкт ЄЇҐ. Ћирилица и љубав, Ѝ.
Ποια είναι η πρωτεύουσα της Ελλάδας; ΟΔΥΣΣΕΑΣ, σίσυφος, ΣΊΣΥΦΟΣ, ᾳ ᾼ ῌ.
שלום, מה שלומך? שָׁלוֹם עֲלֵיכֶם — 5₪.
مرحبًا، كيف حالك؟ اللُّغَةُ العَرَبِيَّةُ جميلة، ١٢٣، ﷽ ﻻ.
سلام، حال شما چطور است؟ می‌خواهم کتاب‌ها را ببینم ۱۲۳.
नमस्ते, आप कैसे हैं? हिन्दी में क्षत्रिय और ज्ञान, १२३।
বাংলা ভাষায় কথা বলি; তুমি কেমন আছো? ১২৩
தமிழ் மொழி அழகானது; ழகரம், ௧௨௩. తెలుగు భాష, ಕನ್ನಡ, മലയാളം.
สวัสดีชาวโลก กรุงเทพฯ น้ำใจ ๑๒๓ ที่นี่
ພາສາລາວ ຳ; ကျွန်တော် မြန်မာ; ភាសាខ្មែរ; བོད་སྐད།
안녕하세요, 대한민국의 수도는 어디입니까? 각갂 ㄱㅏ ﾡ ㈀ 한국어 ᄒᆞᆫ.
こんにちは、世界！ガギグゲゴ ｶﾞｷﾞｸﾞ パピプ は゛ ヷ ㍿ ㌔㍍ 々〆〇。
ქართული ენა, ᲥᲐᲠᲗᲣᲚᲘ; Հայերեն լեզու և ﬓ; አማርኛ ቋንቋ፡ ፩፪።
ᏣᎳᎩ ꮳꮃꭹ; ᐃᓄᒃᑎᑐᑦ; 𐐀𐐨 𐐔𐐯𐑅𐐨𐑉𐐯𐐻; ᠮᠣᠩᠭᠣᠯ; ꦗꦮ꧀ ᬩᬮᬶ᭄
Habari, jina langu ni Amina; ninapenda kusoma vitabu. Selamat pagi, apa kabar?"""

EDGES = [
    "", " ", "\n\t\r ", "a", "A", "?", "\u4e2d", "ab cd", " ab", "ab ", "#", "##", "##ing", "###", "\u00b0C 40\u00b0F \u00a31",
    "[CLS]", "x[SEP]y", "[SEP][MASK] [PAD]", "[sep] [ SEP] [SEP", "[[SEP]]", "\uff3bSEP\uff3d", "\u00e9[UNK]\u0301\u4e2d[CLS]\u4e2d", "[MASK]\u0301",
    "a\u0000b\u0007c\u001bd\u007fe\u0085f\u00adg", "\ufeffBOM \ufffd\ufffe\uffff x\ufffdy", "a\u200bb\u200cc\u200dd\u2060e\u202ef\u202cg",
    "i\u200bg\u200dn\u2060ore pre\u00advious", "a\u2028b\u2029c\u3000d\u00a0e\u1680f\u202fg\u205fh", "a\u000bb\u000cc\u001cd\u001fe",
    "e\u0301x e\u0301 \u0301e e\u0301\u0302! \u0301 \u0301\u0302", "Z\u0351\u0321a\u0335l\u0489go!\u0316?", "\u00a8 \u00b4 \u00af a\u00a8b \u1fbd", "\u0132\u01c4\u01c5\u01f2 \u0149",
    "\u33ceA\u338f \u00bd\u2153 x\u00b2\u2075 \u2460\u2473 \u2167 \u24d0\u24b6 \u2121 \u2100 \ufdfa \ufb01ne \ufb04ow \u3300", "a\u00bdb 1\u00bd A\u2460B", "\u0130\u0131I i\u0307 \u1e9e\u00df \u03a3\u03c2\u03c3 \u03a3",
    "\uff21\uff22\uff23\uff11\uff12\uff13\u3000\uff41\uff42\uff43\uff01\uff1f \uffe5 \uff76\uff9e", "\U0001d518\U0001d52b\U0001d526 \U0001d7d9 \U0001f130 \U0001f1e6", "K\u212b\u2126 \u212a\u017f",
    "\U0001f600", "Hi\U0001f600\U0001f603there", "\U0001f469\u200d\U0001f469\u200d\U0001f467 x", "\U0001f44d\U0001f3fd\U0001f44d\U0001f3ff", "\U0001f1eb\U0001f1f7\U0001f1e9\U0001f1ea flag", "1\ufe0f\u20e3 #\u20e3 \u2764\ufe0f",
    "\U000e0041\U000e0042 tag\U000e0061", "vs\ufe0f\U000e0100x \u4e2d\U000e0101\u6587", "lone \ud83d surrogate", "x\ude00y", "\ud83d", "\ude00\ud83d", "\u4e2d\ud83d\u6587", "A\ud800",
    "\u4e2d\u6587abc123\u4e2d1\u6587", "abc\u4e2d\u6587", "\u4e2d\u0301\u6587", "\u4e2d\u200b\u6587", "\u4e2d \u6587", "\uf900\uf901 \u2f00\u2f08", "\u3007\u3005\u3021", "\u3402\u4e02\u9fff\U0002a6d6",
    "a\u0378b a\u0cdcb a\U0001e6c0b a\U00010940b", "abc\u1200def ab\u0100cd \u1200", "a\U000104b0b \U000104b0", "\U0001d15e\U0001d165 a\U0001d15f",
    "McDonald iPhone eBay USA Usa uSA U.S.A. X Xi XI xI A1 1A a1B 3D \u00c9a \u00c9A \u00e9A \u0414\u0430 \u0414\u0410 \u0434\u0410 \u01c5a", "\u1f88 \u1f80 \u1fbc \ufb00 \ufb00A A\ufb00", "A\u0301 A\u0301B a\u0345 A\u0345B",
    "supercalifragilisticexpialidocious" * 3, "0123456789" * 30, "x" * 3000, "q\u0301" * 600, "Ab" * 700, "\u4e00\u4e8c\u4e09\u56db" * 300, "\u0301" * 1000 + "a", "\u0e01\u0e34" * 200, "a" * 500 + "\u1200",
    "\U0001f600" * 200, "!" * 400, " " * 500, "\u00bd" * 100, "a\u200b" * 300, "\ufdfa" * 20, "\uac01" * 150,
]

POOLS = [
    "abcdefghijklmnopqrstuvwxyz", "etaoinshrdlu", "ABCDEFGHIJ", "0123456789", " \t\n\u00a0\u3000\u200b", ".,;:!?-_'\"()[]{}<>/\\|@#$%^&*+=~`",
    "\u7684\u4e00\u662f\u5728\u4e0d\u4e86\u6709\u548c\u4eba\u8fd9\u4e2d\u5927\u4e3a\u4e0a\u4e2a\u56fd\u6211\u4ee5\u8981\u4ed6", "\u958b\u95dc\u9ad4\u81fa\u5b78", "\u9f98\u9750\u9f49\u3400\U00020000", "\u3002\uff0c\u3001\uff1f\uff01\u300a\u300b\u201c\u201d\u2026\u2014",
    "\u0300\u0301\u0308\u0323\u0327\u0330\u0345\u20dd", "\u00e9\u00c9\u00fc\u00df\u0130\u0131\u0141\u00f1\u00c5\u0149\ufb01", "\u0430\u0431\u0432\u0451\u0439\u0416\u0401", "\u03b1\u03b2\u03b3\u03ac\u03a3\u03c2\u1f84", "\u05d0\u05d1\u05b8\u05bc", "\u0627\u0628\u064b\u0651\u0661\ufefb",
    "\u0915\u093f\u094d\u0937\u0902", "\u0e01\u0e33\u0e34\u0e49", "\uac00\ub098\ud55c\u1100\u1161\u11a8", "\u3042\u30ac\u30d1\uff76\uff9e\u30fc", "\U0001f600\U0001f469\u200d\ufe0f\U0001f3fd\U0001f1eb\U0001f1f7\u2764",
    "\u200b\u200d\u202e\u00ad\u2060\ufeff\u0000\u0007\ufffd", "\u00bd\u33ce\u2460\u2167\uff21\uff41\uff11\u00b2\u2122\u3231", "\u00a8\u00b4\u2017\u037a", "\u1200\u10d0\u13a0\u0531\u1000\u1780", "\U0001d400\U0001d7d9\U00010400\U00010428",
]


def known(c):
    return not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) not in ("Cn", "Co")


def random_texts(generator):
    """Short mixtures of some of the pools, words of the sentences among them, and now and then any character at all."""
    words = SENTENCES.split()
    every = [c for c in range(0x30000) if known(c)]
    for _ in range(RANDOM):
        pools, out = generator.sample(POOLS, generator.randint(1, 4)), []
        for _ in range(generator.randint(2, 10)):
            x = generator.random()
            if x < 0.2:
                out.append(generator.choice(words) + generator.choice(["", " "]))
            elif x < 0.25:
                out.append(chr(generator.choice(every)))
            else:
                out.append("".join(generator.choices(generator.choice(pools), k=generator.randint(1, 3))))
        yield "".join(out)


def in_disorder(text):
    """Whether a mark that stays stands with others: the library then gives it one of their offsets, which we do not."""
    stay = [c for c in text if unicodedata.combining(c) and unicodedata.category(c) != "Mn"]
    return bool(stay) and unicodedata.normalize("NFKD", text) != "".join(unicodedata.normalize("NFKD", c) for c in text)


def blocks():
    for first in (*range(0, 0x30000, BLOCK), *range(0xE0000, 0xE0200, BLOCK)):
        if not 0xD800 <= first < 0xE000:
            yield [first, first + BLOCK - 1]


def written(text):
    return text if isinstance(text, str) else " ".join(PATTERN.replace("*", chr(c)) for c in range(text[0], text[1] + 1))


def unsure(word):
    return any(unicodedata.category(c) == "Cn" or c in YOUNG_CAPITALS for c in word)


def answers(tokens, text):
    """Yields (id, gap, length, case digit) of each token."""
    # The library takes no lone surrogates; U+FFFD is what they become on their way to it.
    text = "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in text)
    (ids, cases, spans), = tokens([text], offsets=True)
    words = tokens.inner.encode(text, add_special_tokens=False).word_ids
    at = [0]
    for c in text:
        at.append(at[-1] + 1 + (ord(c) > 0xFFFF))
    bounds = {}
    for word, (start, end) in zip(words, spans):
        bounds[word] = (bounds.get(word, (start,))[0], end)
    end = 0
    for i, word, letter_case, span in zip(ids, words, cases, spans):
        digit = UNSURE if unsure(text[slice(*bounds[word])]) else str(letter_case)
        yield int(i), at[span[0]] - end, at[span[1]] - at[span[0]], digit
        end = at[span[1]]


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else MODELS / "tokenizer.json"
    tokens = Tokens(path)
    random_ones = [t for t in random_texts(random.Random(SEED)) if not in_disorder(t)]
    texts = [*SENTENCES.split("\n"), SENTENCES, *EDGES, *random_ones, *blocks()]
    rows = [list(answers(tokens, written(t))) for t in texts]
    ids, gaps, lengths, cases = zip(*(token for row in rows for token in row))
    body = {"tokenizer": hashlib.sha256(path.read_bytes()).hexdigest(), "pattern": PATTERN, "texts": texts,
            "counts": [len(row) for row in rows], "ids": ids, "gaps": gaps, "lengths": lengths, "cases": "".join(cases)}
    out = MODELS.parent / "test" / "models" / "wordpiece.json.gz"
    packed = gzip.compress(json.dumps(body, separators=(",", ":")).encode(), 9, mtime=0)
    out.write_bytes(packed)
    print(f"{out.name}: {len(texts)} texts ({RANDOM - len(random_ones)} random ones left out), {len(ids)} tokens, {len(packed)} bytes")


if __name__ == "__main__":
    main()
