extension ChatPage {
    static let wordsOfReplies = [
        PageWord("you", "You", "您"),
        PageWord("reply", "Reply; arrow keys go from token to token", "回答；用方向键在 token 之间移动"),
        PageWord("reading", "Reading…", "正在阅读……"),
        PageWord("replyStarts", "The model is answering.", "模型正在回答。"),
        PageWord("replyEnds", "End of the reply, {completion} tokens.", "回答结束，共 {completion} 个 token。"),
        PageWord("copy", "Copy", "复制"),
        PageWord("copied", "Copied", "已复制"),
        PageWord("regenerate", "Regenerate", "重新生成"),
        PageWord("figureSpeed", "{speed} tokens/s", "{speed} token/秒"),
        PageWord("figureFirst", "first after {first} s", "首个 token {first} 秒"),
        PageWord("figurePrompt", "prompt {prompt}", "提示 {prompt}"),
        PageWord("figureCached", "prompt {prompt} ({cached} cached)", "提示 {prompt}（缓存 {cached}）"),
        PageWord("figureCompletion", "{completion} tokens", "{completion} 个 token"),
        PageWord("figureCut", "cut at max tokens", "已达最多 token 数"),
        PageWord("figureStopped", "stopped", "已停止"),
        PageWord("figureBroken", "broken off", "已中断"),
        PageWord("nothingSaid", "The model said nothing.", "模型没有说话。"),
        PageWord("stoppedEarly", "Stopped before the first word.", "在第一个词之前已停止。"),
        PageWord("unanswered", "Not answered, and not sent again", "未获回答，也不会再次发送"),
        PageWord("candidates", "Candidates", "候选"),
        PageWord(
            "panelHint",
            "Point at a word of a reply, tap it, or go there with Tab and the arrow keys, to see which candidates the model weighed.",
            "指向或轻触回答中的文字，或用 Tab 和方向键移动到那里，即可看到模型权衡过的候选。"),
        PageWord(
            "panelNote", "The model's own probabilities, before temperature and top p.", "模型自身的概率，尚未经过温度和 top p 的调整。"),
        PageWord("panelNone", "The server gave no candidates for this one.", "服务器没有给出这里的候选。"),
        PageWord("tokenLine", "{probability} likely", "概率 {probability}"),
        PageWord("tokenParts", "made of {count} tokens", "由 {count} 个 token 组成"),
        PageWord("chosen", "chosen", "已选"),
        PageWord("others", "all others", "其余全部"),
        PageWord("tokenSpoken", "{text}: {probability}. Candidates: {list}", "{text}：{probability}。候选：{list}"),
        PageWord("legend", "Probability of a word where it stands", "文字在该处的概率"),
    ]

    static let wordsOfTroubles = [
        PageWord("tryAgain", "Try again", "重试"),
        PageWord(
            "troubleUnreachable", "The server cannot be reached. Is it still running?", "无法连接到服务器。它还在运行吗？"),
        PageWord(
            "troubleLost", "The connection broke off. What was said so far is kept.", "连接中断。已收到的内容已保留。"),
        PageWord("troubleUnreadable", "The server's answer cannot be understood.", "无法理解服务器的回应。"),
        PageWord("troubleKey", "The server asks for an API key.", "服务器需要 API 密钥。"),
        PageWord("troubleForbidden", "The server does not allow this.", "服务器不允许此操作。"),
        PageWord("troubleMissing", "The server does not know this model or address.", "服务器上没有这个模型或地址。"),
        PageWord("troubleRequest", "The server refuses this request.", "服务器拒绝了这个请求。"),
        PageWord("troubleLarge", "The conversation is too long for the server.", "对话过长，服务器无法接收。"),
        PageWord("troubleBusy", "The server is busy.", "服务器正忙。"),
        PageWord("troubleLate", "The server took too long.", "服务器用时过长。"),
        PageWord("troubleServer", "Something went wrong in the server.", "服务器内部出错。"),
        PageWord("waitSeconds", "It asks to wait {seconds} s.", "请等待 {seconds} 秒。"),
    ]
}
