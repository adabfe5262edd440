/** Words that say that the dotted numbers right behind them count versions or sections, in the languages most often asked. */
const VERSIONS =
  "[\\p{L}_]*(?:version[\\p{L}_]*|versión|versione|versie|версия|版本|バージョン|버전)|(?<![\\p{L}\\d])(?:ver|v|vers|rev|releases?|build|revision|firmware|driver|treiber|pilote|controlador|kernel|sdk|tag|lib\\p{L}+)";
const SECTIONS =
  "(?<![\\p{L}\\d])(?:(?:sub-?)?sections?|sect?|(?:sub)?clauses?|chapters?|chap?|articles?|art|appendix|annex|figures?|figs?|tables?|tab|para(?:graph)?s?|items?|rules?|steps?|exercises?|ex|examples?|theorem|lemma|requirements?|req|controls?|tasks?|points?|eq|ec|oid|no|nr|abschnitte?|(?:unter)?kapitel|kap|ziffern?|ziff|nummer|absatz|abs|artikel|anhang|anlage|abbildung|abb|tabelle|punkt|paragraf|alinéa|paragraphe|chapitre|annexe|tableau|règle|étape|sección|capítulo|artículo|apartado|párrafo|anexo|figura|tabla|punto|inciso|numeral|ejercicio)|[第章节節条條款项項图圖表]|附录|附錄|步骤|练习|例题|§+";
const VERSION = new RegExp(
  `(?:${VERSIONS})\\.?(?:[ ,]+(?:notes?|numbers?|no\\.?|nr\\.?|is|was|to|from|of|ist|von|auf|est|à|de|es|a))*[\\s:="'(#>*号號是为為]*$`,
  "iu",
);
// "Points to" and "rules from" lead to addresses.
const SECTION = new RegExp(
  `(?:${SECTIONS})\\.?(?:[ ,]+(?:numbers?|no\\.?|nr\\.?|n\\.?º))?[\\s:"'(#>*号號]*$`,
  "iu",
);
const RISE =
  /(?:upgrad|downgrad|bump|aktualisier|mise à (?:jour|niveau)|actualiza|升级|升級|更新)[\p{L}]*(?:[ ,]+[\w.-]+){0,1}?(?: (?:from|to|von|auf|de|à|vers|a|desde|hasta))?[\s:到至为為从從]*$/iu;
/** "1.2.3 to 1.2.4.5", "foo==1.2.3.4": what stands on the other side of a sign is no address either. */
const TRIPLE = /(?<![\d.])\d+(?:\.\d+){1,2}\s*(?:to|→|->|–|bis|auf|à|a|到|至|and|und|et|y|和)\s*$/i;
const OPERATOR = /(?:[=~!<>]=|~>|[\^~])\s?["']?$/;
const INSTALL =
  /\b(?:npm|yarn|pnpm|pip3?|gem|cargo|brew|apt(?:-get)?|conda|docker|npx|nuget|package|poetry|uv|composer|add|require|install(?:ed)?|dependenc(?:y|ies))\b.*[\w/](?<!\b(?:root|admin|user|ubuntu|debian|centos|deploy|pi))[@:]$/i;
/** "org.acme:parser:10.1.2.3". */
const ARTIFACT = /[a-z]\.[a-z][\w.-]*:[\w.-]+:$/i;
/** "Firefox/115.0.2.1"; a name with a dot is a host. */
const AGENT = /(?:^|[\s;(,"'])[A-Za-z][\w-]*\/$/;
// Systems, browsers and languages: what is numbered so far that 10 is no rare version.
const PRODUCT =
  /\b(?:mac ?os(?: x)?|os x|ios|ipados|windows(?: server)?|oracle|android|chrom(?:e|ium)|firefox|safari|edge|opera|db2|java|jdk|python|php|ruby|ffmpeg|\.net|photoshop|acrobat|nvidia|cuda)[ /-]$/i;
const AFTER =
  /^["')]{0,2}\s{0,2}(?:is|was|are|ist|est|es|是)?\s{0,2}(?:the |a |our |die |la |le |最新)?(?:[\p{L}]+ )?(?:versions?|version|versión|releases?|released|build|patch|update|版本?|已?发布|升级|发行|章|节|条|款)(?!\p{L}{3})/iu;
const HEADING = /(?:^|\n)[\s#*]*$/;
const TITLE = /^\.? [A-Z\u4e00-\u9fff]/;

/** Whether what stands right beside says that four dotted numbers are a version's or a section's. */
export function isNumbering(before: string, value: string, after: string): boolean {
  if (VERSION.test(before) || TRIPLE.test(before) || PRODUCT.test(before)) return true;
  const small = isSmall(value);
  if (small && HEADING.test(before) && TITLE.test(after)) return true;
  if (namesAddress(before)) return false;
  if (OPERATOR.test(before) || INSTALL.test(before) || ARTIFACT.test(before) || AGENT.test(before))
    return true;
  if (small && (SECTION.test(before) || AFTER.test(after))) return true;
  return RISE.test(before) && !OF_NETS.test(before);
}

/** Addresses by their range alone: private ones that no version reaches, and this machine. */
export const PLAIN = /^(?:192\.168|172\.(?:1[6-9]|2\d|3[01])|127\.\d+|169\.254|255\.255)\./;
/** Private ones, resolvers that everybody knows, any address: small, but read as such unless they are numbered. */
export const USUAL = /^(?:10\.\d+\.\d+\.\d+|0\.0\.0\.0|1\.1\.1\.1|8\.8\.(?:8\.8|4\.4)|9\.9\.9\.9)$/;

/** Public addresses are written so once in 250 times, versions and sections nearly always. */
export function isSmall(value: string): boolean {
  return value.split(".").every((part) => Number(part) < 64);
}

const NAMES_ADDRESS =
  /(?<!\p{Script=Latin})(?:ip(?:s|v?[46]|_?addr\p{L}*|[a-z_]*address\p{L}*)?|addr\p{L}*|address\p{L}*|adresses?|direcci[oó]n(?:es)?|indirizzo|host\p{L}*|hosts?|hôte|src|dst|peer|gateway|gw|router|subnet|netmask|ping\p{L}*|ssh|scp|sftp|rsync|telnet|rdp|nmap|curl|wget|traceroute|dns|nameserver|resolver|nslookup|whois|dig|dhcp|localhost|loopback|listen\p{L}*|bind|inet|cidr|port|rechner|netz\p{L}*|passerelle|réseau|(?:servers?|node|machine|box|vm) (?:at|on|is)|equipo|puerta de enlace)(?!\p{Script=Latin})|地址|主机|网关|子网|内网|路由|防火墙|端口|本机|ホスト|アドレス|주소/iu;
const CAMEL = /[a-z](?:Ip|IP|Addr)(?![a-z])/;
const OF_NETS =
  /(?<!\p{Script=Latin})(?:clients?|servers?|remote|source|dest\p{L}*|endpoint|upstream|node|machine|box|vm|network|firewall|proxy|vpn|nat|lan|wan|interface|route|zone|packets?|traffic|requests?|hits|connect\p{L}*|login|logins|logged in|attack\p{L}*|scan\p{L}*|block\p{L}*|bann?\p{L}*|den(?:y|ied)|allow\p{L}*|whitelist\p{L}*|blacklist\p{L}*|forwarded|unreachable|reach\p{L}*|timed? ?out|visitor|serveurs?|servidor\p{L}*|server|red|bloque\p{L}*|conn?exion\p{L}*|conexi[oó]n\p{L}*|acc[eè]s\p{L}*|zugriff\p{L}*|anmeldung\p{L}*|gesperrt|blockier\p{L}*|erreichbar)(?!\p{Script=Latin})|服务器|网络|登录|访问|攻击|连接|封禁|拉黑|请求|来自|电脑/iu;
const OF_SOFTWARE =
  /(?<!\p{L})(?:versions?|releas\p{L}*|upgrad\p{L}*|install\p{L}*|updat\p{L}*|patch\p{L}*|changelog|driver|plugin|package|module|library|sections?|chapter|enzyme|kinase|clause|software|hotfix|bug)(?!\p{L})|版本|升级|安装|章/iu;
const namesAddress = (text: string): boolean => NAMES_ADDRESS.test(text) || CAMEL.test(text);
const URL_BEFORE = /:\/\/(?:[^\s/@]*@)?$|- - \[|(?:^|\s)(?:-[A-Za-z] )$/;
const PORT_AFTER = /^(?::\d{2,5}(?!\d)|\/(?:[89]|[12]\d|3[0-2])(?!\d)| - \S+ \[)/;

/** Whether something says that four small dotted numbers are an address after all. */
export function isAddressed(before: string, after: string): boolean {
  if (URL_BEFORE.test(before) || PORT_AFTER.test(after)) return true;
  const around = `${before} \u0000 ${after}`;
  if (namesAddress(around)) return true;
  return OF_NETS.test(around) && !OF_SOFTWARE.test(around);
}
