// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is held to these; the proposals say why each is the way the language goes.
let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335
    .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TinyTestSupport"], exclude: exclude, swiftSettings: swiftSettings)
}

let package = Package(
    name: "tinygpt",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "TinyGPT", targets: ["TinyGPT"]),
        // The template engine knows nothing of models, and is of use without them.
        .library(name: "TinyTemplate", targets: ["TinyTemplate"]),
        .executable(name: "tinygpt", targets: ["TinyGPTCommand"]),
        // Search in folders of texts; empty without the trait `Retrieval`.
        .library(name: "TinyRetrieval", targets: ["TinyRetrieval"]),
        // The HTTP server; without the trait `Server` only what requests and answers look like.
        .library(name: "TinyServer", targets: ["TinyServer"]),
        // For the package in Benchmarks only: the underscore says that nothing is promised to anyone else.
        .library(name: "_TinyKernels", targets: ["CTinyKernels"]),
    ],
    // Off by default: whoever takes the library neither fetches nor builds SQLite's package or an HTTP stack, and the command's
    // first build does not wait for them.
    traits: [
        .trait(
            name: "Retrieval",
            description:
                "Search in folders of texts: the library TinyRetrieval, `tinygpt embed --index` and `tinygpt search`."),
        .trait(
            name: "Server", description: "The HTTP server: `Server` in the library TinyServer, and `tinygpt serve`."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    ],
    targets: [
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas",
            providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
        // For fingerprints of weights and the hashes of the server's page; Apple's systems have CryptoKit.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        // Line editing in `tinygpt chat`, in the command alone; a part of Apple's systems.
        .systemLibrary(name: "CLibEdit", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
        // -O3 so that debug builds and their tests run kernels at full speed; from tools version 6.2 on a versioned
        // dependency may carry it. It is the only unsafe flag in the package.
        .target(name: "CTinyKernels", cSettings: [.unsafeFlags(["-O3"])]),
        module("TinyJSON"),
        module("TinyTensor", ["CTinyKernels", "COpenBLAS"]),
        module("TinyLayers", ["TinyTensor", "CTinyKernels"]),
        module("TinyLoader", ["TinyTensor", "TinyJSON"]),
        module("TinyTokenizer", ["TinyJSON"]),
        module("TinyTemplate"),
        module("TinyModels", ["TinyTensor", "TinyLayers", "TinyLoader", "TinyTokenizer", "TinyJSON"]),
        module(
            "TinyRunner",
            [
                "TinyModels", "TinyTemplate", "TinyTokenizer", "TinyLayers", "TinyLoader", "TinyTensor", "TinyJSON",
                "CTinyKernels",
            ]),
        module(
            "TinyGPT",
            ["TinyRunner", "TinyModels", "TinyTemplate", "TinyLayers", "TinyLoader", "TinyTensor", "TinyTokenizer"]),
        module(
            "TinyRetrieval",
            [
                "TinyRunner", "TinyModels", "TinyTokenizer", "TinyTensor", "TinyJSON",
                .product(name: "GRDB", package: "GRDB.swift", condition: .when(traits: ["Retrieval"])),
            ]),
        module(
            "TinyServer",
            [
                "TinyRunner", "TinyModels", "TinyTemplate", "TinyTokenizer", "TinyJSON",
                .target(name: "COpenSSL", condition: .when(platforms: [.linux])),
                .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Server"])),
            ]),
        .executableTarget(
            name: "TinyGPTCommand",
            dependencies: [
                "TinyGPT", "TinyModels", "TinyRunner", "TinyLoader", "TinyTensor", "CLibEdit",
                .target(name: "COpenSSL", condition: .when(platforms: [.linux])),
                .target(name: "TinyRetrieval", condition: .when(traits: ["Retrieval"])),
                .target(name: "TinyServer", condition: .when(traits: ["Server"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings),
        .target(name: "TinyTestSupport", path: "Tests/TinyTestSupport", swiftSettings: swiftSettings),
        tests("TinyJSONTests", ["TinyJSON"]),
        tests("TinyTensorTests", ["TinyTensor", "CTinyKernels", "COpenBLAS", "TinyLoader"]),
        tests("TinyLoaderTests", ["TinyLoader", "TinyTensor", "TinyJSON", "CTinyKernels"]),
        tests("TinyTemplateTests", ["TinyTemplate", "TinyJSON"], exclude: ["Fixtures"]),
        tests("TinyTokenizerTests", ["TinyTokenizer", "TinyJSON"], exclude: ["Fixtures"]),
        .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
        .executableTarget(
            name: "AllocationCheck", dependencies: ["CAllocationCounter", "TinyGPT", "TinyRunner"],
            path: "Tests/AllocationCheck", swiftSettings: swiftSettings),
        .executableTarget(
            name: "RoundTripCheck", dependencies: ["TinyModels", "TinyTokenizer", "TinyTestSupport"],
            path: "Tests/RoundTripCheck", swiftSettings: swiftSettings),
        tests("TinyLayersTests", ["TinyLayers", "TinyTensor", "TinyModels", "TinyLoader", "TinyJSON"]),
        tests(
            "TinyModelsTests",
            ["TinyModels", "TinyRunner", "TinyLayers", "TinyLoader", "TinyTensor", "TinyTokenizer", "TinyJSON"]),
        tests(
            "TinyRunnerTests",
            [
                "TinyRunner", "TinyModels", "TinyLayers", "TinyLoader", "TinyTensor", "TinyTokenizer", "TinyTemplate",
            ]),
        tests(
            "TinyRetrievalTests",
            [
                "TinyRetrieval", "TinyRunner", "TinyModels", "TinyTokenizer", "TinyTensor",
                .product(name: "GRDB", package: "GRDB.swift", condition: .when(traits: ["Retrieval"])),
            ]),
        tests(
            "TinyServerTests", ["TinyServer", "TinyRunner", "TinyModels", "TinyTensor", "TinyTokenizer", "TinyJSON"]),
        tests("CommandTests", ["TinyGPTCommand", "TinyGPT"]),
    ]
)
