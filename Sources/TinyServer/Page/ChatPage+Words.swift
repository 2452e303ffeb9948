/// What the page says, in both languages. A name in braces is put in by the script.
struct PageWord {
    let key: String
    let english: String
    let chinese: String

    init(_ key: String, _ english: String, _ chinese: String) {
        self.key = key
        self.english = english
        self.chinese = chinese
    }
}

extension ChatPage {
    static let words = wordsOfPage + wordsOfReplies + wordsOfTroubles

    /// The words as the script has them, in the places the layout of the page refers to.
    static let scriptOfWords: String = {
        func table(_ name: String, _ text: (PageWord) -> String) -> String {
            "  \(name): {\n" + words.map { "    \($0.key): \(quoted(text($0)))," }.joined(separator: "\n") + "\n  },"
        }
        return "const words = {\n\(table("en", \.english))\n\(table("zh", \.chinese))\n};"
    }()

    /// A literal of the script that cannot end it.
    static func quoted(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "\"") { result, scalar in
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case "\n": result += "\\n"
            case "<": result += "\\u003c"
            default: result.unicodeScalars.append(scalar)
            }
        } + "\""
    }

    private static let wordsOfPage = [
        PageWord("newTalk", "New conversation", "新对话"),
        PageWord("confidence", "Confidence", "置信度"),
        PageWord("confidenceLabel", "Color words by the model's confidence", "按模型的把握给文字着色"),
        PageWord("otherLanguage", "中文", "English"),
        PageWord("otherLanguageLabel", "中文界面", "English interface"),
        PageWord("settings", "Settings", "设置"),
        PageWord("conversation", "Conversation", "对话"),
        PageWord("welcome", "What shall we talk about?", "想聊点什么？"),
        PageWord(
            "welcomeMore",
            "Point at any word of a reply to see what else the model weighed. What you write goes to this server and nowhere else.",
            "指向回答中的任意一处，就能看到模型还考虑过哪些词。您写的内容只会发送到这台服务器。"),
        PageWord("idea1", "Why is the sky blue?", "天空为什么是蓝色的？"),
        PageWord("idea2", "Write four lines about rain", "写四行关于雨的诗"),
        PageWord("idea3", "Explain what a prime number is", "解释一下什么是质数"),
        PageWord("bringBack", "Bring the last conversation back", "恢复上一段对话"),
        PageWord("inputLabel", "Your message", "您的消息"),
        PageWord("inputHint", "Write a message", "写一条消息"),
        PageWord("keys", "Enter sends, Shift + Enter begins a new line", "Enter 发送，Shift + Enter 换行"),
        PageWord("send", "Send", "发送"),
        PageWord("stop", "Stop", "停止"),
        PageWord("latest", "To the latest words", "跳到最新"),
        PageWord("close", "Close", "关闭"),
        PageWord("cancel", "Cancel", "取消"),
        PageWord("done", "Done", "完成"),
        PageWord("model", "Model", "模型"),
        PageWord("noModel", "no connection", "未连接"),
        PageWord("system", "System prompt", "系统提示词"),
        PageWord("systemHint", "How the model should answer", "希望模型如何回答"),
        PageWord("temperature", "Temperature", "温度"),
        PageWord("topP", "Top p", "Top p"),
        PageWord("maxTokens", "Max tokens", "最多 token 数"),
        PageWord("seed", "Seed", "随机种子"),
        PageWord("asServer", "server's default", "服务器默认值"),
        PageWord(
            "settingsMore", "They hold from the next reply on. Where a field is empty, the server decides.",
            "从下一次回答起生效。留空的项目由服务器决定。"),
        PageWord("changeKey", "Change API key", "更改 API 密钥"),
        PageWord("keyTitle", "This server asks for a key", "此服务器需要密钥"),
        PageWord(
            "keyMore", "It is kept in this tab until you close it, and sent to this server alone.",
            "密钥只保存在此标签页中，关闭即清除；也只会发送到这台服务器。"),
        PageWord("key", "API key", "API 密钥"),
        PageWord("useKey", "Use this key", "使用此密钥"),
        PageWord("keyWrong", "The server does not accept this key.", "服务器不接受这个密钥。"),
        PageWord(
            "keyBad", "A key consists of Latin letters, digits and signs, without spaces.", "密钥只能由英文字母、数字和符号组成，不含空格。"),
    ]
}
