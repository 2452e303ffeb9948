import TinyJSON
import TinyTemplate

/// A chat template, rendered with a conversation that has a call of a tool in it.
enum TemplateTarget: Target {
    static func run(_ input: Input) throws {
        guard let source = String(validating: input.bytes, as: UTF8.self) else { return }
        let date = TemplateDate(year: 2024, month: 2, day: 29, hour: 23, minute: 59, second: 60)
        let segments = try Template(source).renderSegments(values, date: date)
        precondition(!segments.contains { $0.text.isEmpty }, "an empty segment")
    }

    /// The names that the fixtures' snippets use, and what chat templates ask for.
    private static let values: [(String, TemplateValue)] = {
        let text = #"""
            {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": true, "none_value": null, "n": 7, "x": 2.5,
            "neg": -3, "yes": true, "no": false, "empty": "", "name": "World", "zh": "你好,世界", "accents": "e\u0301é ß ǆ İ",
            "emoji": "👨‍👩‍👧😀", "spaced": "  a b\t\n ", "lines": "one\ntwo\n\nthree\r\nfour", "quote": "it's \"x\"",
            "html": "<a href='x'>&</a>", "numbers": [3, 1, 2, 10], "words": ["pear", "Apple", "fig", "apple"],
            "nested": {"a": {"b": [1, {"c": "deep"}]}}, "mixed": {"z": 1, "A": "two", "b": null, "items": "hidden", "count": 5},
            "people": [{"name": "Bo", "age": 30, "t": {"k": 2}}, {"name": "al", "age": 25, "t": {"k": 1}}],
            "empty_list": [], "empty_map": {}, "most": 9223372036854775807, "least": -9223372036854775808, "huge": 1e308,
            "tools": [{"type": "function", "function": {"name": "add", "parameters": {"a": {"type": "integer"}}}}],
            "messages": [{"role": "system", "content": "Be kind.\n"}, {"role": "user", "content": " Grüße <|im_end|>\u0300 "},
            {"role": "assistant", "content": null, "tool_calls": [{"name": "add", "arguments": {"a": 1, "b": [true, 1.5]}}]},
            {"role": "tool", "content": "0"}, {"role": "user", "content": [{"type": "text", "text": "it's <b>"}]}]}
            """#
        guard let object = try? JSON(parsing: text).object else { preconditionFailure("the values are no JSON object") }
        return zip(object.keys, object.values).map { ($0, value($1)) }
    }()

    private static func value(_ json: JSON) -> TemplateValue {
        switch json {
        case .null: .none
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .string(let value): .string(value)
        case .array(let values): .array(values.map(value))
        case .object(let object): .object(zip(object.keys, object.values).map { TemplateValue.Member($0, value($1)) })
        case .table: .none  // nobody asked for one
        }
    }
}
