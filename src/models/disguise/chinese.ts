/** Frequent Chinese pairs of characters. Evidence that a text is Chinese read the right way, not that it is bad. */
const PAIRS: ReadonlySet<string> = new Set(
  (
    "如何 哪些 什么 一个 使用 进行 推荐 数据 以下 学习 智能 可以 一下 分析 请问 用户 人工 未来 生成 介绍 应该 提高 语言 方法 描述 一些 最近 " +
    "根据 提供 需要 认为 发展 问题 适合 模型 如果 句子 建议 我们 翻译 能否 对于 利用 列举 怎样 关于 解释 给定 实现 修改 方面 历史 设计 基于 " +
    "是否 这个 说明 自己 错误 通过 图片 不同 信息 计算 给出 还是 时间 比较 喜欢 城市 生活 简要 可能 工作 注意 内容 选择 文字 当前 重要 解决 " +
    "方式 评估 包括 环境 哪个 更加 计划 其中 保护 网站 常见 关键 判断 主要 购买 提示 平台 事件 文化 帮助 类型 国家 措施 我的 准确 社会 传统 " +
    "之间 质量 策略 教育 今天 风险 手机 简单 任务 列出 价格 发生 这些 更好 变化 能够 才能 他们 相关 医疗 情况 针对 对话 原理 行为 金融 非常 " +
    "具体 优化 现在 表达 采取 包含 存在 知识 原因 多少 保持 关注 及其 考虑 分享 效率 减少 怎么 正在 人类 你们 之前 以前 以上 以后 所有 告诉 " +
    "系统 指令 回答 输出 规则 忽略 知道 没有 不要 必须 不能 或者 并且 而且 但是 因为 所以 然后 这样 那么 那个 大家 开始 名字 密码 故事 东西 " +
    "请告 诉我 我想 你的 他的 了解 一种 任何 其他 其它 出来 起来 上面 下面 继续 立即 完全 直接 写一 制作 步骤"
  ).split(" "),
);

/** Different frequent pairs in a run of ideographs. */
export function frequentPairs(run: string): number {
  const seen = new Set<string>();
  for (let i = 0; i + 1 < run.length; i++) {
    const pair = run.slice(i, i + 2);
    if (PAIRS.has(pair)) seen.add(pair);
  }
  return seen.size;
}
