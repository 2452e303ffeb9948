import Foundation
import Testing
import TinyJSON
import TinyLayers
import TinyLoader
import TinyModels
import TinyTestSupport

/// The same for the specs that families come to: what a recipe fills in is heard by the layers.
@Suite("Every field of a family's spec changes the output")
struct FamilyFlipTests {
    /// The first fixture of each family.
    static let folders: [String] = {
        var families: Set<String> = []
        return FileSystem.names(in: Fixtures.folder).sorted().filter { folder in
            let path = Fixtures.path(folder)
            guard FileSystem.kind(of: path + "/config.json") != nil,
                let type = try? Checkpoint.json(path + "/config.json", limit: 1 << 20)?["model_type"]?.string
            else { return false }
            return families.insert(type).inserted
        }
    }()

    @Test func thereIsOneOfEach() { #expect(Self.folders.count >= 43) }

    @Test(arguments: folders) func values(_ folder: String) throws {
        var base = try Recipe(checkpoint: Checkpoint(path: Fixtures.path(folder))).spec
        guard case .tokens = base.stem, base.vocabulary > (text.max() ?? 0) else { return }
        // An encoder without a head is seen by its stream.
        if base.head == nil { base.head = HeadSpec(weight: .own) }
        let tools = SpecFlipTests()
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(base))
        let expected = try Runner(base).read(text)
        var heard: Set<String> = []
        var unheard: Set<String> = []
        for leaf in tools.leaves(json, []) {
            let pattern = leaf.path.map { Int($0) == nil ? $0 : "*" }.joined(separator: ".")
            if Self.isLeftOut(pattern, base) || heard.contains(pattern) { continue }
            let others = tools.alternatives(leaf.value, pattern).compactMap { value -> ModelSpec? in
                guard
                    let data = try? JSONSerialization.data(
                        withJSONObject: tools.replacing(json, leaf.path[...], value))
                else { return nil }
                return try? JSONDecoder().decode(ModelSpec.self, from: data)
            }.filter { $0 != base }
            // One layer is enough: where one expert is chosen it does not matter how.
            if try others.contains(where: { tools.difference(try Runner($0).read(text), expected) > 1e-6 }) {
                heard.insert(pattern)
            } else {
                unheard.insert(pattern)
            }
        }
        #expect(unheard.subtracting(heard) == [], "\(folder)")
        #expect(heard.count > 10)
    }

    /// Sizes; a pooler, which is no part of the way to logits; what stretches a rotation, for which texts here are too
    /// short; and what is about vectors in front of a text where there are none.
    private static func isLeftOut(_ pattern: String, _ spec: ModelSpec) -> Bool {
        SpecFlipTests.sizes.contains(pattern) || pattern.hasPrefix("pooler") || pattern.contains("scaling")
            || (spec.tokenStem.prefix == 0 && pattern.lowercased().contains("prefix"))
    }
}
