public import TinyModels

extension Model {
    /// How the model's makers frame a conversation.
    ///
    /// - Throws: `RunnerError.noChatTemplate`, if the model's files say nothing of it.
    public func chatTemplate() throws -> ChatTemplate { try ChatTemplate(self) }

    /// A conversation as the model's template frames it. For many of them, keep `chatTemplate()`.
    public func text(of conversation: Conversation, named name: String? = nil) throws -> String {
        try chatTemplate().text(of: conversation, named: name)
    }

    /// The tokens of a conversation as the model's template frames it.
    public func tokens(of conversation: Conversation, named name: String? = nil) throws -> [Int] {
        try chatTemplate().tokens(of: conversation, named: name)
    }
}
