import ArgumentParser
import TinyGPT

#if Retrieval
    import TinyRetrieval
#endif

/// Which folder is indexed, and where its index is kept.
struct IndexOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A folder of texts in UTF-8; the index is kept in it, in .tinygpt. Names that begin with a dot are left out.",
            valueName: "folder"))
    var index: String?

    @Option(help: ArgumentHelp("Keep the index in this file instead.", valueName: "path"))
    var database: String?

    func validate() throws {
        if let database, database.isEmpty || index == nil {
            throw ValidationError(
                database.isEmpty ? "--database is empty; a path is expected" : "--database is for --index FOLDER")
        }
        if index?.isEmpty == true { throw ValidationError("--index is empty; a folder is expected") }
    }
}

extension Failure {
    /// The package that keeps indexes is fetched and built only where it is asked for.
    static let searchIsNotBuilt = Failure(
        "this tinygpt was built without search; build it with\n"
            + "  swift build -c release --product tinygpt --traits Retrieval")
}

#if Retrieval
    extension IndexOptions {
        func path(in folder: String) -> String { database ?? TextIndex.path(in: folder) }

        /// `embed --index`: brings a folder's index up to date, and says what that took.
        func update(_ folder: String, _ options: ModelOptions) throws {
            let index = try TextIndex(at: path(in: folder), creates: true)
            let progress = Progress()
            defer { progress.clear() }
            let start = ContinuousClock.now
            let update = try index.update(from: folder, with: try options.embedder()) {
                progress.show(
                    "\($0.done) of \($0.total) files, \($0.embeddedPassages) passages embedded: \($0.file.visible)")
            }
            progress.clear()
            for skipped in update.skipped.prefix(20) {
                Output.error("warning: \(skipped.file.visible): \(skipped.reason); left out\n")
            }
            if update.skipped.count > 20 { Output.error("warning: and \(update.skipped.count - 20) more left out\n") }
            let report = Report(update, seconds: start.duration(to: .now).inSeconds, path: index.path)
            if options.json { return try Output.json(report) }
            try Output.print(
                """
                \(update.files) files, \(update.passages) passages in \(index.path)
                \(update.updatedFiles) files read, \(update.unchangedFiles) as before, \(update.removedFiles) removed, \
                \(update.skipped.count) left out; \(update.embeddedPassages) passages embedded in \
                \(report.seconds.fixed(1)) s

                """)
        }

        /// What `embed --index --json` prints.
        private struct Report: Encodable {
            struct Skipped: Encodable {
                let file: String
                let reason: String
            }

            let database: String
            let files: Int
            let passages: Int
            let updated_files: Int
            let unchanged_files: Int
            let removed_files: Int
            let embedded_passages: Int
            let skipped: [Skipped]
            let seconds: Double

            init(_ update: TextIndex.Update, seconds: Double, path: String) {
                database = path
                files = update.files
                passages = update.passages
                updated_files = update.updatedFiles
                unchanged_files = update.unchangedFiles
                removed_files = update.removedFiles
                embedded_passages = update.embeddedPassages
                skipped = update.skipped.map { Skipped(file: $0.file, reason: $0.reason) }
                self.seconds = seconds
            }
        }
    }
#else
    extension IndexOptions {
        func update(_ folder: String, _ options: ModelOptions) throws { throw Failure.searchIsNotBuilt }
    }
#endif

#if Retrieval
    extension ModelOptions {
        func embedder() throws -> ModelEmbedder { try ModelEmbedder(Encoder(try open().model)) }
    }
#endif
