/// Methods of strings, lists and mappings. A method that Python has but that is not here is refused by name when it is
/// called; it still hides an item of that name, as it would in Python.
extension Value {
    func hasMethod(_ name: String) -> Bool {
        switch self {
        case .text: Self.textMethods.contains(name)
        case .map: Self.mapMethods.contains(name)
        case .list(let list):
            switch list.kind {
            case .list: Self.listMethods.contains(name)
            case .tuple, .range: name == "count" || name == "index"
            case .view, .generator: false
            }
        case .int, .bool: Self.integerMethods.contains(name)
        case .double: Self.doubleMethods.contains(name)
        default: false
        }
    }

    private static let textMethods: Set<String> = [
        "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format", "format_map",
        "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric",
        "isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip", "maketrans", "partition",
        "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip",
        "split",
        "splitlines", "startswith", "strip", "swapcase", "title", "translate", "upper", "zfill",
    ]
    private static let mapMethods: Set<String> = [
        "clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values",
    ]
    private static let listMethods: Set<String> = [
        "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort",
    ]
    private static let integerMethods: Set<String> = [
        "as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator", "from_bytes", "imag", "numerator",
        "real", "to_bytes",
    ]
    private static let doubleMethods: Set<String> = [
        "as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "is_integer", "real",
    ]
}

extension Evaluator {
    func call(method name: String, of value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch value {
        case .text(let text): return try call(method: name, of: text, arguments)
        case .map(let object): return try call(method: name, of: object, arguments)
        case .list(let list): return try call(method: name, of: list, arguments)
        case .loop(let loop): return try call(method: name, of: loop, arguments)
        default: throw fail(unsupported: "method", name)
        }
    }

    // MARK: Mappings, lists, loops

    private func call(method name: String, of object: Object, _ arguments: CallArguments) throws(TemplateError) -> Value
    {
        let owner = "method '\(name)'"
        switch name {
        case "get":
            let bound = try bind(unnamed(arguments, owner), ["key", "default"], required: 1, owner)
            return object[try key(of: bound.value(0))] ?? bound.value(1)
        case "keys", "values", "items", "copy":
            _ = try bind(arguments, [], owner)
            switch name {
            case "keys": return .list(List(object.keys, .view))
            case "values": return .list(List(object.values, .view))
            case "items": return .list(List(object.pairs, .view))
            default: return .map(object)
            }
        case "clear", "pop", "popitem", "setdefault", "update":
            throw fail("'\(name)' would change a mapping, which templates must not")
        default: throw fail(unsupported: "method", name)
        }
    }

    private func call(method name: String, of list: List, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let owner = "method '\(name)'"
        switch name {
        case "copy":
            _ = try bind(arguments, [], owner)
            return .list(list)
        case "count", "index":
            let item = try bind(unnamed(arguments, owner), ["value"], required: 1, owner).value(0)
            var count = 0
            for (index, other) in list.items.enumerated() where try equal(other, item) {
                if name == "index" { return .int(index) }
                count += 1
            }
            if name == "index" { throw fail("the list has no such item") }
            return .int(count)
        case "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort":
            throw fail("'\(name)' would change a list, which templates must not")
        default: throw fail(unsupported: "method", name)
        }
    }

    private func call(method name: String, of loop: Loop, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try unnamed(arguments, "method '\(name)'").positional
        if name == "cycle" {
            if values.isEmpty { throw fail("'loop.cycle' needs something to choose from") }
            return values[loop.index % values.count]
        }
        if let before = changes[loop.number], try equal(.list(List(before)), .list(List(values))) {
            return .bool(false)
        }
        changes[loop.number] = values
        return .bool(true)
    }

    /// Python's built-in methods take most arguments by position only.
    func unnamed(_ arguments: CallArguments, _ owner: String) throws(TemplateError) -> CallArguments {
        if let named = arguments.named.first { throw fail("\(owner) takes no argument '\(named.name)'") }
        return arguments
    }
}
