import TinyJSON
public import TinyTemplate

extension Conversation {
    /// Reads a conversation: a JSON array of messages, or an object with `messages` and, if wanted, `tools`, `documents`
    /// and `add_generation_prompt`. All other members are variables of the template.
    ///
    /// Everything in it counts as somebody's text; special tokens in it are never read as such.
    ///
    /// - Throws: `RunnerError.badConversation`, which says what is wrong and where.
    public init(json: String) throws(RunnerError) { try self.init(json: Array(json.utf8)) }

    /// - Parameter json: text in UTF-8.
    public init(json: [UInt8]) throws(RunnerError) {
        let value: JSON
        do { value = try JSON(parsing: json) } catch {
            let line = 1 + json.prefix(error.byte).count { $0 == 0x0A }
            throw .badConversation("line \(line): \(error)")
        }
        switch value {
        case .array(let messages): self.init(messages.map { TemplateValue($0) })
        case .object(let object): try self.init(object)
        default:
            throw .badConversation(
                "is \(value.kind), and an array of messages, or an object with \"messages\", is expected")
        }
        _ = try values([])
    }

    private init(_ object: JSONObject) throws(RunnerError) {
        func list(_ key: String) throws(RunnerError) -> [TemplateValue]? {
            guard let value = object[key], !value.isNull else { return nil }
            guard let items = value.array else {
                throw .badConversation("\"\(key)\" is \(value.kind), and an array of objects is expected")
            }
            return items.map { TemplateValue($0) }
        }
        guard let messages = try list("messages") else {
            throw .badConversation("the object has no \"messages\"; an array of messages is expected there")
        }
        self.init(messages)
        tools = try list("tools")
        documents = try list("documents")
        if let value = object["add_generation_prompt"] {
            guard let adds = value.bool else {
                throw .badConversation("\"add_generation_prompt\" is \(value.kind), and true or false is expected")
            }
            addsGenerationPrompt = adds
        }
        let known = ["messages", "tools", "documents", "add_generation_prompt"]
        for (key, value) in zip(object.keys, object.values) where !known.contains(key) {
            variables.append((key, TemplateValue(value)))
        }
    }
}

extension TemplateValue {
    /// Reads a value from JSON text.
    ///
    /// - Throws: `RunnerError.badConversation`, which says what is wrong and where.
    public init(json: String) throws(RunnerError) {
        do { self.init(try JSON(parsing: json)) } catch { throw .badConversation("\(error)") }
    }

    /// No deeper than JSON may nest, which its reader checked.
    init(_ json: JSON) {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .array(let items): self = .array(items.map { TemplateValue($0) })
        case .object(let object):
            self = .object(zip(object.keys, object.values).map { Member($0, TemplateValue($1)) })
        case .table: self = .none  // only where somebody asks for one
        }
    }
}
