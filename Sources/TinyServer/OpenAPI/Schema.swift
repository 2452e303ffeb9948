import TinyJSON

/// Schemas of JSON values, as JSON Schema 2020-12 and OpenAPI 3.1 write them.
enum Schema {
    /// Anything at all.
    static let any: JSON = [:]
    static let string: JSON = ["type": "string"]
    static let bool: JSON = ["type": "boolean"]
    static let integer: JSON = ["type": "integer"]
    static let number: JSON = ["type": "number"]

    /// Or null: in a request, a field that is null counts as not there.
    static func optional(_ schema: JSON) -> JSON {
        if case .object(let object) = schema, case .string(let type)? = object["type"], object["enum"] == nil {
            return .members(
                zip(object.keys, object.values).map { key, value in
                    (key, key == "type" ? [.string(type), "null"] : value)
                })
        }
        return ["anyOf": [schema, ["type": "null"]]]
    }

    static func integer(_ range: ClosedRange<Int>) -> JSON {
        var members: [(String, JSON)] = [("type", "integer"), ("minimum", .integer(range.lowerBound))]
        // The largest number that a field of 64 bits holds is no limit that anybody meant.
        if range.upperBound < .max { members.append(("maximum", .integer(range.upperBound))) }
        return .members(members)
    }

    static func number(_ range: ClosedRange<Double>) -> JSON {
        func bound(_ value: Double) -> JSON { Int(exactly: value).map(JSON.integer) ?? .number(value) }
        return ["type": "number", "minimum": bound(range.lowerBound), "maximum": bound(range.upperBound)]
    }

    static func array(of items: JSON, _ counts: ClosedRange<Int> = 0...Int.max) -> JSON {
        var members: [(String, JSON)] = [("type", "array"), ("items", items)]
        if counts.lowerBound > 0 { members.append(("minItems", .integer(counts.lowerBound))) }
        if counts.upperBound < .max { members.append(("maxItems", .integer(counts.upperBound))) }
        return .members(members)
    }

    /// One of these values.
    static func one(of values: [JSON]) -> JSON { values.count == 1 ? ["const": values[0]] : ["enum": .array(values)] }
    static func words(_ words: String...) -> JSON { ["type": "string", "enum": .array(words.map(JSON.string))] }

    /// A field that this server cannot follow: what may stand there all the same, as `FieldReader.refuse` has it.
    static func refused(except values: [JSON] = []) -> JSON {
        one(of: [.null, .bool(false), .array([]), .object(JSONObject())] + values)
    }

    static func any(of schemas: JSON...) -> JSON { ["anyOf": .array(schemas)] }

    /// An object that has these members and no others.
    static func closed(_ properties: [(String, JSON)], required: [String] = []) -> JSON {
        .members(members(properties, required) + [("additionalProperties", false)])
    }

    /// An object of an answer: all of these members, and perhaps more.
    static func answer(_ properties: KeyValuePairs<String, JSON>) -> JSON {
        .members(members(properties.map { ($0.key, $0.value) }, properties.map(\.key)))
    }

    private static func members(_ properties: [(String, JSON)], _ required: [String]) -> [(String, JSON)] {
        var members: [(String, JSON)] = [("type", "object"), ("properties", .members(properties))]
        if !required.isEmpty { members.append(("required", .array(required.map(JSON.string)))) }
        return members
    }

    static func reference(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }

    /// Where one field has a value, another needs one too.
    static func when(_ field: String, _ schema: JSON, _ other: String, is needed: JSON) -> JSON {
        func has(_ field: String, _ schema: JSON) -> JSON {
            ["properties": .members([(field, schema)]), "required": .array([.string(field)])]
        }
        return ["if": has(field, schema), "then": has(other, one(of: [needed]))]
    }

    static func adding(_ members: [(String, JSON)], to schema: JSON) -> JSON {
        guard case .object(let object) = schema else { return schema }
        return .members(Array(zip(object.keys, object.values)) + members)
    }
}
