import TinyTemplate

extension Conversation {
    /// The conversation with a mark at the end of its last message, and the mark.
    ///
    /// Where that message ends in the rendered text cannot be told from the text: templates trim, cut and add. So a letter
    /// that stands nowhere else in the conversation goes through the template with it.
    ///
    /// - Throws: `RunnerError.badConversation` if the last message is not the beginning of an assistant's.
    func marked() throws(RunnerError) -> (conversation: Conversation, mark: Unicode.Scalar) {
        guard case .object(let members)? = messages.last, messages.last?["role"]?.text == "assistant",
            let content = messages.last?["content"]?.text, !content.isEmpty
        else {
            throw .badConversation(
                "only a message of the role \"assistant\" with a text can be continued, and it has to be the last one")
        }
        // The private use area: no template means anything by its characters.
        guard
            let mark = (UInt32(0xE000)...0xF8FF).lazy.compactMap(Unicode.Scalar.init).first(where: { scalar in
                !messages.contains { $0.holds(scalar) }
            })
        else { throw .badConversation("its messages have every character of the private use area") }
        var conversation = self
        conversation.addsGenerationPrompt = false
        conversation.messages[messages.count - 1] = .object(
            members.map { $0.key == "content" ? .init($0.key, .string(content + String(mark))) : $0 })
        return (conversation, mark)
    }
}

extension [TemplateSegment] {
    /// What stands before a mark.
    ///
    /// - Throws: `RunnerError.badConversation` unless the last message ends at exactly one place.
    func cut(at mark: Unicode.Scalar) throws(RunnerError) -> [TemplateSegment] {
        let places = indices.filter { self[$0].text.unicodeScalars.contains(mark) }
        guard places.count == 1, let place = places.first,
            let end = self[place].text.unicodeScalars.firstIndex(of: mark),
            self[place].text.unicodeScalars.lastIndex(of: mark) == end
        else {
            throw .badConversation(
                "the model's chat template does not show the last message once and as it is, so it cannot be continued")
        }
        let before = self[place].text.unicodeScalars[..<end]
        return self[..<place] + [TemplateSegment(text: String(before), isTemplate: self[place].isTemplate)]
    }
}

extension TemplateValue {
    fileprivate var text: String? {
        switch self {
        case .string(let text), .trusted(let text): text
        default: nil
        }
    }

    fileprivate func holds(_ scalar: Unicode.Scalar) -> Bool {
        switch self {
        case .none, .bool, .integer, .number: false
        case .string(let text), .trusted(let text): text.unicodeScalars.contains(scalar)
        case .array(let items): items.contains { $0.holds(scalar) }
        case .object(let members): members.contains { $0.key.unicodeScalars.contains(scalar) || $0.value.holds(scalar) }
        }
    }
}
