import TinyJSON

/// libFuzzer's own changes, to bytes.
@_silgen_name("LLVMFuzzerMutate")
private func mutateBytes(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int) -> Int

/// Changes an input. Hardly a change to bytes leaves JSON what it is, and readers would see little but syntax errors; so
/// half of the changes to targets that are JSON are made to its values.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutate(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int, _ seed: UInt32) -> Int {
    var mutator = Mutator(seed: UInt64(seed))
    if let frame = target.jsonFrame, mutator.below(2) == 0,
        let changed = mutator.changed(Array(UnsafeBufferPointer(start: bytes, count: count)), frame),
        changed.count <= limit
    {
        _ = UnsafeMutableBufferPointer(start: bytes, count: changed.count).update(fromContentsOf: changed)
        return changed.count
    }
    return mutateBytes(bytes, count, limit)
}

/// Where an input has its JSON.
enum JSONFrame {
    /// From the start up to a NUL, if there is one.
    case first
    /// Behind its length in 64 bits.
    case behindLength
}

private struct Mutator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// A number from 0 to below `count`: SplitMix64, so that one seed always does the same.
    mutating func below(_ count: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return Int(truncatingIfNeeded: (bits ^ bits >> 31) >> 1) % max(1, count)
    }

    /// nil where there is no JSON to change.
    mutating func changed(_ bytes: [UInt8], _ frame: JSONFrame) -> [UInt8]? {
        let start = frame == .first ? 0 : 8
        guard bytes.count >= start else { return nil }
        var end = bytes[start...].firstIndex(of: 0) ?? bytes.count
        if frame == .behindLength {
            let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
            guard length <= UInt64(bytes.count - 8) else { return nil }
            end = 8 + Int(length)
        }
        guard var value = try? JSON(parsing: Array(bytes[start..<end])) else { return nil }
        for _ in 0...below(3) { value = changed(value) }
        let text = Array(written(value).utf8)
        let front = (0..<start).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        return front + text + bytes[end...]
    }

    /// Goes down to a member, every level's alike likely however many there are, and changes it.
    private mutating func changed(_ value: JSON) -> JSON {
        switch value {
        case .array(var items) where !items.isEmpty && below(5) > 0:
            let (place, other) = (below(items.count), below(items.count))
            switch below(8) {
            case 0: items.remove(at: place)
            case 1: items.insert(items[place], at: other)
            case 2: items.swapAt(place, other)
            default: items[place] = changed(items[place])
            }
            return .array(items)
        case .object(let object) where !object.isEmpty && below(5) > 0:
            var members = Array(zip(object.keys, object.values))
            let (place, other) = (below(members.count), below(members.count))
            switch below(10) {
            case 0: members.remove(at: place)
            case 1: members[place].0 = changed(members[place].0)
            case 2: (members[place].1, members[other].1) = (members[other].1, members[place].1)
            default: members[place].1 = changed(members[place].1)
            }
            return .object(members.reduce(into: JSONObject()) { _ = $0.append($1.0, $1.1) })
        case .integer(let number) where below(2) == 0:
            return .integer([number &+ 1, number &- 1, 0 &- number, number &* 2, number / 2][below(5)])
        case .number(let number) where below(2) == 0: return .number([-number, number / 1e9, 0.5][below(3)])
        case .bool(let flag): return .bool(!flag)
        case .string(let text) where below(8) > 0: return .string(changed(text))
        default: return Self.others[below(Self.others.count)]
        }
    }

    private mutating func changed(_ text: String) -> String {
        var scalars = Array(text.unicodeScalars)
        let place = below(scalars.count + 1)
        switch below(6) {
        case 0: scalars.removeSubrange(place...)
        case 1: if place < scalars.count { scalars.remove(at: place) }
        case 2: scalars += scalars
        default: scalars.insert(Self.letters[below(Self.letters.count)], at: place)
        }
        return String(String.UnicodeScalarView(scalars))
    }

    private static let others: [JSON] = [
        .null, .bool(true), .integer(0), .integer(1), .integer(-1), .integer(.max), .integer(.min), .integer(1 << 31),
        .integer((1 << 31) - 1), .integer(4096), .number(0.5), .number(-1e300), .number(1e-300), .string(""),
        .string("a"), .array([]), .array([.integer(1)]), .object(JSONObject()),
    ]
    private static let letters = Array("ab <s>▁Ġ#\u{0}\u{300}ßİ한\u{1F468}\u{200D}\n\u{3000}0½ǆ\u{FFFD}".unicodeScalars)
}

private func written(_ value: JSON) -> String {
    switch value {
    case .null, .table: "null"  // nobody asked for a table
    case .bool(let flag): "\(flag)"
    case .integer(let number): "\(number)"
    case .number(let number): "\(number)"
    case .string(let text): written(text)
    case .array(let items): "[" + items.map(written).joined(separator: ",") + "]"
    case .object(let object):
        "{" + zip(object.keys, object.values).map { written($0) + ":" + written($1) }.joined(separator: ",") + "}"
    }
}

private func written(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case "\u{0}"..<" ":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
