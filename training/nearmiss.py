"""Pairs for the sentence vector, composed anew in every round from prompts: the same request in other words, and requests that
differ in one number, negation, opposite, name or word. The lists are small on purpose: they teach what a small change can be."""

import re

import numpy as np

from common import read
from tasks import authored_category, kept_back

OPPOSITES = {
    "en": """increase/decrease before/after buy/sell encrypt/decrypt cheapest/most expensive highest/lowest largest/smallest open/close start/stop
        enable/disable install/uninstall add/remove hot/cold summer/winter men/women boys/girls beginner/expert upload/download import/export
        left/right north/south east/west first/last maximum/minimum long/short gain/lose win/lose accept/reject hire/fire lend/borrow
        advantages/disadvantages benefits/risks pros/cons best/worst old/new early/late inside/outside above/below more/less fast/slow
        push/pull give/receive send/receive public/private legal/illegal safe/dangerous raw/cooked dry/wet heavy/light ascending/descending
        parents/children teacher/student employer/employee landlord/tenant buyer/seller doctor/patient input/output client/server
        morning/evening day/night husband/wife mother/father son/daughter acid/base positive/negative rise/fall""",
    "zh": """增加/减少 之前/之后 买/卖 加密/解密 最便宜/最贵 最高/最低 最大/最小 打开/关闭 开始/停止 启用/禁用 安装/卸载 添加/删除 热/冷 夏天/冬天
        男/女 上传/下载 导入/导出 左/右 南/北 东/西 第一/最后 长/短 赢/输 接受/拒绝 雇用/解雇 借出/借入 优点/缺点 好处/坏处 最好/最差 新/旧 早/晚
        里面/外面 上/下 多/少 快/慢 公开/私有 合法/违法 安全/危险 升序/降序 父母/孩子 老师/学生 房东/租客 买家/卖家 输入/输出 白天/晚上 丈夫/妻子
        父亲/母亲 儿子/女儿 酸/碱 正/负 上升/下降 出口/进口 增重/减肥 入职/离职 结婚/离婚""",
}
KINDS = {
    "en": """france,germany,italy,spain,japan,china,india,brazil,canada,mexico,egypt,russia,australia,turkey,sweden
        paris,london,rome,berlin,madrid,tokyo,new york,chicago,boston,sydney,toronto,mumbai,seoul,dublin,vienna
        english,french,german,spanish,italian,chinese,japanese,korean,arabic,russian,portuguese,hindi
        python,java,javascript,rust,go,ruby,php,kotlin,swift,typescript,perl
        monday,tuesday,wednesday,thursday,friday,saturday,sunday
        january,february,march,april,june,july,august,september,october,november,december
        chicken,beef,pork,fish,tofu,rice,pasta,potatoes,beans,lentils,salmon,shrimp
        dog,cat,rabbit,horse,parrot,hamster,cow,goat,pig
        headache,fever,cough,rash,nausea,toothache,backache,insomnia
        mysql,postgres,mongodb,sqlite,redis,oracle
        windows,linux,macos,android,ios
        excel,word,powerpoint,outlook,photoshop
        red,blue,green,yellow,black,white
        mother,father,brother,sister,uncle,aunt,boss,neighbour,friend,colleague
        einstein,newton,darwin,galileo,curie,tesla
        gold,silver,copper,iron,aluminium,zinc,sodium,calcium
        e-mail,letter,essay,poem,speech,report,story,song""",
    "zh": """中国,美国,日本,德国,法国,英国,韩国,印度,巴西,俄罗斯,意大利,西班牙 北京,上海,广州,深圳,杭州,成都,武汉,西安,南京,重庆 英语,法语,德语,日语,韩语,俄语,西班牙语
        周一,周二,周三,周四,周五,周六,周日 一月,二月,三月,四月,五月,六月,七月,八月 鸡肉,牛肉,猪肉,鱼,豆腐,土豆,米饭,面条,茄子 狗,猫,兔子,鹦鹉,仓鼠,马
        头痛,发烧,咳嗽,皮疹,恶心,牙痛,失眠 苹果,香蕉,橙子,葡萄,西瓜,草莓 春天,夏天,秋天,冬天 妈妈,爸爸,哥哥,姐姐,老板,邻居,同事,朋友,老师
        邮件,作文,诗,演讲稿,报告,故事,歌词,通知 Python,Java,C++,Go,JavaScript,PHP 足球,篮球,乒乓球,网球,游泳,跑步 金,银,铜,铁,铝,锌""",
}
WRAPS = {
    "en": ["please {}", "{} please", "can you tell me: {}", "hi, {}", "{} thanks!", "quick question: {}", "I'd like to know, {}", "hey could you help, {}", "{} Thank you in advance."],
    "zh": ["请问{}", "{}谢谢", "帮我看下，{}", "你好，{}", "想问一下{}", "麻烦问下：{}", "{}，急", "请教一下，{}"],
}
FRAMES = {
    "en": [(r"what(?: is|'s) (?:the |an? )?(.+?)\??$", ["explain {}", "tell me about {}", "define {}", "{} meaning", "what do you know about {}?", "can you explain what {} is"]),
           (r"how (?:do|can|would|should) (?:i|you|we) (.+?)\??$", ["how to {}", "what's the best way to {}?", "i want to {}, how?", "steps to {}", "show me how to {}", "is there a way to {}?"]),
           (r"why (?:do|does|is|are) (.+?)\??$", ["what is the reason that {}", "explain why {}", "the cause of {}"]),
           (r"write (?:me )?(?:an? )?(.+?)\.?$", ["i need a {}", "could you compose a {}", "draft a {} for me", "generate a {}"]),
           (r"explain (.+?)\.?$", ["what is {}?", "help me understand {}", "{} explained"])],
    "zh": [(r"什么是(.+?)[？?]?$", ["{}是什么意思", "解释一下{}", "介绍下{}", "{}的定义"]), (r"(?:如何|怎么|怎样)(.+?)[？?]?$", ["{}的方法", "想{}，该怎么做", "有什么办法{}", "{}有什么技巧"]),
           (r"为什么(.+?)[？?]?$", ["{}的原因是什么", "{}，这是为啥", "解释{}的原因"]), (r"(?:请)?(?:帮我)?写(?:一篇|一首|一封|一个)?(.+?)[。.]?$", ["我需要{}", "给我来{}", "生成{}"])],
}
HAN = re.compile(r"[一-鿿]")


class NearMiss:
    def __init__(self):
        texts = [t for t, _, _, kind in authored_category() if not kept_back(t) and len(t) < 220]
        texts += [r["text"] for r in read("category/train") if r["kind"] == "natural" and len(r["text"]) < 200]
        texts += [r["text"] for i, r in enumerate(read("text/en_short")) if i % 8 == 0 and len(r["text"]) < 160]
        texts += [r["text"] for i, r in enumerate(read("text/zh_prompts")) if i % 25 == 0]
        self.texts = [(t, "zh" if HAN.search(t) else "en") for t in texts]
        self.opposites, self.kinds, self.words = {}, {}, {}
        for lang in ("en", "zh"):
            self.opposites[lang] = {}
            for pair in re.split(r"\s+(?![a-z]+\b(?:\s|$))|\s+", OPPOSITES[lang].replace("most expensive", "most-expensive")):
                a, _, b = pair.replace("most-expensive", "most expensive").partition("/")
                if b:
                    self.opposites[lang].update({a: b, b: a})
            groups = [g.strip() for g in KINDS[lang].split("\n")]
            if lang == "zh":
                groups = [x for g in groups for x in g.split()]
            self.kinds[lang] = [[w.strip() for w in g.split(",")] for g in groups]
        pool = {}
        for t, lang in self.texts:
            for w in re.findall(r"[a-z]{5,}", t.lower()) if lang == "en" else re.findall(r"[一-鿿]{2}", t):
                pool.setdefault(lang, {}).setdefault(w, 0)
                pool[lang][w] += 1
        # A Chinese pair of characters that is common enough is mostly a word.
        self.words = {lang: [w for w, n in p.items() if n >= (5 if lang == "en" else 40)] for lang, p in pool.items()}
        self.known = {lang: set(w) for lang, w in self.words.items()}

    def find(self, text, lang, words):
        """The first of `words` (in random order by the caller) that stands in the text as a word: (start, end)."""
        for w in words:
            m = re.search(rf"\b{re.escape(w)}\b" if lang == "en" else re.escape(w), text, re.I)
            if m:
                return m
        return None

    def near(self, text, lang, rng):
        """The text with one small change that matters, or None."""
        for how in rng.permutation(6):
            if how == 0:
                numbers = list(re.finditer(r"\d+(?:\.\d+)?", text))
                if numbers:
                    m = numbers[rng.integers(len(numbers))]
                    old = m[0]
                    new = old
                    while new == old:
                        i = int(rng.integers(len(old)))
                        digit = str(rng.integers(1, 10)) if old[i] != "." else "."
                        new = old[:i] + digit + old[i + 1:] if rng.random() < 0.7 else str(int(rng.integers(1, 200)))
                    return text[:m.start()] + new + text[m.end():]
            if how == 1:
                swaps = ([(r"\bwith\b", "without"), (r"\bcan\b", "can't"), (r"\bis\b", "isn't"), (r"\bare\b", "aren't"), (r"\bdo\b", "don't"), (r"\bdoes\b", "doesn't"),
                          (r"\bto\b", "not to"), (r"\bshould\b", "shouldn't"), (r"\bwithout\b", "with"), (r"\bnot \b", ""), (r"\bnever\b", "always")] if lang == "en" else
                         [("可以", "不可以"), ("能", "不能"), ("会", "不会"), ("有", "没有"), ("要", "不要"), ("是", "不是"), ("应该", "不应该"), ("不", ""), ("没有", "有")])
                a, b = swaps[rng.integers(len(swaps))]
                if re.search(a, text):
                    return re.sub(a, b, text, count=1)
            if how == 2:
                words = list(self.opposites[lang])
                m = self.find(text, lang, [words[i] for i in rng.permutation(len(words))])
                if m and (lang == "en" or len(m[0]) > 1):
                    return text[:m.start()] + self.opposites[lang][m[0].lower()] + text[m.end():]
            if how == 3:
                for group in (self.kinds[lang][i] for i in rng.permutation(len(self.kinds[lang]))):
                    m = self.find(text, lang, group)
                    if m:
                        other = [w for w in group if w.lower() != m[0].lower()]
                        new = other[rng.integers(len(other))]
                        return text[:m.start()] + (new.capitalize() if m[0][:1].isupper() else new) + text[m.end():]
            if how == 4 and lang == "en":
                m = re.search(r"from (\w+) to (\w+)|(\w+) (?:to|into|over|against) (\w+)", text)
                if m and m[1] and m[1].lower() != m[2].lower():
                    return text[:m.start(1)] + m[2] + text[m.end(1):m.start(2)] + m[1] + text[m.end(2):]
            if how == 5:
                known = self.known[lang]
                found = ([(m.start(), m.end()) for m in re.finditer(r"\b[a-z]{5,}\b", text) if m[0] in known] if lang == "en" else
                         [(i, i + 2) for i in range(len(text) - 1) if text[i:i + 2] in known])
                if found:
                    start, end = found[rng.integers(len(found))]
                    return text[:start] + self.words[lang][rng.integers(len(self.words[lang]))] + text[end:]
        return None

    def same(self, text, lang, rng):
        """The same request, said otherwise."""
        if rng.random() < 0.6:
            for pattern, frames in FRAMES[lang]:
                m = re.match(pattern, text.strip(), re.I)
                if m and len(m[1]) > 2:
                    text = frames[rng.integers(len(frames))].format(m[1])
                    break
        if rng.random() < 0.5:
            wrap = WRAPS[lang][rng.integers(len(WRAPS[lang]))]
            text = wrap.format(text[0].lower() + text[1:] if rng.random() < 0.5 and text else text)
        r = rng.random()
        if r < 0.25:
            text = text.lower().rstrip("?.！？。!")
        elif r < 0.4 and len(text) > 12:
            i = int(rng.integers(2, len(text) - 2))
            if not text[i].isdigit() and not HAN.match(text[i]):
                text = text[:i] + text[i + 1:]
        return text

    def round(self, count, rng):
        """[(a, b, label)], triples of a, the same and a near miss of either."""
        out = []
        for i in rng.integers(0, len(self.texts), count):
            text, lang = self.texts[i]
            near, same = self.near(text, lang, rng), self.same(text, lang, rng)
            if near is None or near == text:
                continue
            out.append((text, same, 1))
            out.append((same if rng.random() < 0.5 else text, near, 0))
        return out
