import Testing
import TinyLoader
import TinyTestSupport

/// A committed checkpoint and the reference that holds for it.
struct FixtureModel: Sendable, CustomTestStringConvertible {
    let folder: String
    /// In the folder; empty for the folder itself.
    let file: String
    let reference: String

    var path: String { Fixtures.path(folder) + (file.isEmpty ? "" : "/" + file) }
    var isGGUF: Bool { file.hasSuffix(".gguf") }
    var referencePath: String { Fixtures.path(folder) + "/" + reference }
    var testDescription: String { folder + (file.isEmpty ? "" : "/" + file) }

    /// Every checkpoint that is committed: `model.safetensors` (or shards) with `reference.safetensors`,
    /// `model.gguf` with the same, `model.TYPE.gguf` with `reference.TYPE.safetensors`.
    static let all: [FixtureModel] = FileSystem.names(in: Fixtures.folder).sorted().flatMap { folder in
        let names = Set(FileSystem.names(in: Fixtures.path(folder)))
        var models: [FixtureModel] = []
        if names.contains("config.json") {
            models.append(FixtureModel(folder: folder, file: "", reference: "reference.safetensors"))
        }
        for name in names.sorted() where name.hasSuffix(".gguf") {
            let type = name.dropFirst("model".count).dropLast(".gguf".count)
            models.append(FixtureModel(folder: folder, file: name, reference: "reference\(type).safetensors"))
        }
        return models
    }

    static let folders = all.filter { !$0.isGGUF }

    /// Folders that hold one model in both formats.
    static let pairs = all.filter { $0.file == "model.gguf" }.map(\.folder)
}
