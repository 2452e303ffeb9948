import TinyJSON
import TinyLoader

extension Chat {
    /// A conversation as a value: instructions, if any, then messages and answers by turns. The last may want its answer.
    ///
    /// As a file it is JSON that `Conversation` reads too:
    ///
    ///     {"messages": [
    ///     {"role": "user", "content": "Hello"}
    ///     ]}
    public struct Transcript: Sendable, Equatable {
        public let messages: [Message]

        /// - Throws: `RunnerError.badConversation`, if the messages are in no such order.
        public init(_ messages: [Message]) throws(RunnerError) {
            for index in messages.indices {
                let role = messages[index].role
                if index == 0 && role == .system { continue }
                let expected: Message.Role =
                    index > 0 && messages[index - 1].role == .user ? .assistant : .user
                if role != expected {
                    throw .badConversation(
                        "messages[\(index)].role is \"\(role.rawValue)\", and \"\(expected.rawValue)\" is expected"
                            + (role == .system ? "; instructions come first" : ""))
                }
            }
            self.messages = messages
        }

        init(checked messages: [Message]) { self.messages = messages }

        // MARK: As JSON

        /// - Parameter json: text in UTF-8: an object with `messages` and nothing else, or their list alone.
        /// - Throws: `RunnerError.badConversation`, which says what is wrong and where. What a chat would not keep, tools
        ///   and documents for instance, is refused by name.
        public init(json: [UInt8]) throws(RunnerError) {
            let value: JSON
            do { value = try JSON(parsing: json) } catch {
                throw .badConversation("line \(1 + json.prefix(error.byte).count { $0 == 0x0A }): \(error)")
            }
            var list = value.array
            if let object = value.object {
                for key in object.keys where key != "messages" {
                    throw .badConversation(
                        "\(printable(key)) is nothing that a chat keeps; only \"messages\" is expected")
                }
                guard let messages = object["messages"] else {
                    throw .badConversation("the object has no \"messages\"; a list of messages is expected there")
                }
                guard messages.array != nil else {
                    throw .badConversation("\"messages\" is \(messages.kind), and a list of messages is expected")
                }
                list = messages.array
            }
            guard let list else {
                throw .badConversation("is \(value.kind), and an object with a list of \"messages\" is expected")
            }
            var messages: [Message] = []
            for (index, item) in list.enumerated() { messages.append(try Message(item, "messages[\(index)]")) }
            try self.init(messages)
        }

        public init(json: String) throws(RunnerError) { try self.init(json: Array(json.utf8)) }

        /// One message a line.
        public var json: String {
            let lines = messages.map { "{\"role\": \"\($0.role.rawValue)\", \"content\": \(quoted($0.text))}" }
            return lines.isEmpty ? "{\"messages\": []}\n" : "{\"messages\": [\n\(lines.joined(separator: ",\n"))\n]}\n"
        }

        // MARK: As a file

        private static let sizeLimit = 1 << 26

        /// - Throws: `FormatError` if the file cannot be read, or with the place where it is no conversation.
        public init(at path: String) throws {
            let file = try MappedFile(path: path)
            guard file.count <= Self.sizeLimit else {
                throw FormatError(
                    .outOfRange, file: path, "has \(file.count) bytes, and a conversation has at most \(Self.sizeLimit)"
                )
            }
            do throws(RunnerError) { try self.init(json: Array(file.bytes)) } catch {
                throw FormatError(.malformed, file: path, error.description)
            }
        }

        /// Writes the file whole, or not at all.
        ///
        /// - Parameter replaces: whether a file that is there gives way.
        /// - Throws: `OutputError`.
        public func write(to path: String, replaces: Bool = false) throws {
            let destination = try Destination(path, replaces: replaces, inputs: [])
            let bytes = Array(json.utf8)
            try destination.reserve(bytes.count)
            let file = try OutputFile(path: destination.path, byteCount: bytes.count)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
            try file.publish(replaces: replaces)
        }
    }
}

extension Chat.Transcript: Codable {
    private enum CodingKeys: String, CodingKey { case messages }

    public init(from decoder: any Swift.Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(container.decode([Chat.Message].self, forKey: .messages))
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(messages, forKey: .messages)
    }
}

extension Chat.Message {
    fileprivate init(_ json: JSON, _ place: String) throws(RunnerError) {
        guard let object = json.object else {
            throw .badConversation("\(place) is \(json.kind), and an object is expected")
        }
        func text(_ key: String) throws(RunnerError) -> String {
            guard let value = object[key] else { throw .badConversation("\(place) has no \"\(key)\"") }
            guard let text = value.string else {
                throw .badConversation("\(place).\(key) is \(value.kind), and a string is expected")
            }
            return text
        }
        let name = try text("role")
        guard let role = Role(rawValue: name) else {
            let known = Role.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw .badConversation("\(place).role is \(printable(name)), and one of \(known) is expected")
        }
        for key in object.keys where key != "role" && key != "content" {
            throw .badConversation("\(place) has \(printable(key)), which a chat does not keep")
        }
        self.init(role, try text("content"))
    }
}

/// A JSON string.
private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
