import Foundation
import TinyLayers

/// Specs as they are encoded, value by value.
extension SpecFlipTests {
    func logits(_ spec: ModelSpec) throws -> [Float] { try Runner(spec).read(text) }

    func difference(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).map { abs($0 - $1) }.max() ?? 0 }

    /// Values and empty objects, which stand for enum cases without a payload.
    func leaves(_ json: Any, _ path: [String]) -> [(path: [String], value: Any)] {
        if let object = json as? [String: Any], !object.isEmpty {
            return object.sorted { $0.key < $1.key }.flatMap { leaves($0.value, path + [$0.key]) }
        }
        if let array = json as? [Any] {
            return array.enumerated().flatMap { leaves($0.element, path + ["\($0.offset)"]) }
        }
        return [(path, json)]
    }

    func replacing(_ json: Any, _ path: ArraySlice<String>, _ value: Any) -> Any {
        guard let first = path.first else { return value }
        if var object = json as? [String: Any] {
            // An enum case without payload is replaced as a whole.
            if let other = value as? [String: Any], path.count == 1, (object[first] as? [String: Any])?.isEmpty == true
            {
                return other
            }
            object[first] = object[first].map { replacing($0, path.dropFirst(), value) }
            return object
        }
        guard var array = json as? [Any], let index = Int(first) else { return json }
        array[index] = replacing(array[index], path.dropFirst(), value)
        return array
    }

    func alternatives(_ value: Any, _ pattern: String) -> [Any] {
        switch pattern.split(separator: ".").suffix(2).joined(separator: ".") {
        case "rotary.width": return [max(2, (value as? Int ?? 0) / 4 * 2)]
        case "rotary.pairing": return ["halves", "neighbours"]
        case "form.plain", "form.gated", "form.clampedGate":
            return [
                ["plain": [String: Any]()], ["gated": [String: Any]()],
                ["clampedGate": ["limit": 0.3, "stretch": 0.8]],
            ]
        case "_0.activation", "network.activation", "expert.activation", "transform.activation":
            return NetworkSpec.Activation.allCases.map(\.rawValue)
        case "_0.scores": return ["softmax", "softmaxOfChosen", "sigmoid"]
        case "normalization.none": return [["sum": ["plus": 0.5]]]
        case "reach.everything": return [["causal": [String: Any]()]]
        case "projection.direct": return [["queriesOfPositions": ["rows": 64]]]
        case "bias.none": return [["linear": ["slopes": (1...64).map { 1 / Double($0) }]]]
        case "byLength.originalContext": return [(value as? Int ?? 0) > 17 ? 5 : 60]
        case "groups.count": return [2]
        case "groups.chosen": return [2]
        case "_0.chosen": return [1, 3]
        case "sumAtLeast._0": return [5]
        case "attention.growsBeyond": return [4]
        case "clampedGate.limit": return [0.1]
        case "_0.buckets": return [6]
        case "_0.distance": return [40]
        case "_0.textToPrefix", "_0.prefixToText": return [8, 10]
        case "head.weight": return ["tied", "own"]
        case "reach.causal": return [["causalWindow": ["tokens": 5]]]
        case "scaling.none": return [["linear": ["factor": 2]]]
        case "positions.none": return [["learned": ["rows": 64]]]
        default: break
        }
        if let number = value as? NSNumber {
            // A truth value decodes from true and false only, a whole number not from a fraction.
            let real = number.doubleValue
            return [real == 0, real * 1.5 + 0.25, (real * 1.5).rounded()]
        }
        return []
    }

    func nils(_ value: Any, _ path: [String], _ found: inout Set<String>) {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional {
            guard let inner = mirror.children.first else {
                found.insert(path.joined(separator: "."))
                return
            }
            return nils(inner.value, path, &found)
        }
        for child in mirror.children {
            nils(child.value, path + [mirror.displayStyle == .collection ? "*" : child.label ?? "*"], &found)
        }
    }
}
